//! Files, shmem, secretmem and frames that a driver has mapped: what a fault makes of them.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, PageFlags, Pfn};
use gupcheck_core::gup::{Errno, Foll, UserRange, fixup_user_fault, get_user_pages_unlocked};
use gupcheck_core::machine::FileId;
use gupcheck_core::mm::{Backing, FaultFlags, VmFault, VmFlags};
use gupcheck_core::mutators::{do_user_addr_fault, madvise_dontneed, munmap, truncate};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE, find_entry};

pub(crate) const SHARED: VmFlags = VmFlags::PRIVATE
    .union(VmFlags::SHARED)
    .union(VmFlags::MAYSHARE);

/// What may be waited for with the mmap lock dropped.
pub(crate) const MAY_RETRY: FaultFlags = FaultFlags::ALLOW_RETRY.union(FaultFlags::KILLABLE);

/// An area of two pages that maps a file of two.
pub(crate) fn mapped(backing: Backing, flags: VmFlags) -> (Boot, Area, FileId) {
    mapped_on(&X86_NATIVE, backing, flags)
}

fn mapped_on(profile: &'static Profile, backing: Backing, flags: VmFlags) -> (Boot, Area, FileId) {
    let mut boot = boot(profile);
    let file = boot.file(backing, 2);
    let area = boot.file_area(file, 2, flags);
    (boot, area, file)
}

pub(crate) fn pte(world: &World, area: Area, nth: u32) -> Entry {
    let cpu = world.cpu();
    let found = find_entry(&cpu, world.machine.mm(area.mm), area.addr(nth), Level::Pte);
    found.map_or(Entry::NONE, |ptep| ptep.get(&cpu))
}

pub(crate) fn touch(world: &World, area: Area, flags: FaultFlags) -> VmFault {
    do_user_addr_fault(&world.cpu(), area.mm, area.start, flags)
}

pub(crate) fn cache(world: &World, file: FileId, index: usize) -> Option<Pfn> {
    world
        .get(world.machine.files[file.0 as usize].pages[index])
        .0
}

pub(crate) fn range(area: Area, nr_pages: usize) -> UserRange {
    UserRange {
        nr_pages,
        ..area.into()
    }
}

/// What user space finds mapped after one fault.
#[derive(Debug, PartialEq)]
enum Found {
    /// The page of the cache, which may be written to, and is marked dirty by the entry.
    Cached { writable: bool, dirty: bool },
    /// A copy of it.
    Copy { writable: bool },
}

#[test]
fn a_fault_maps_the_page_of_the_file_or_copies_it() {
    const CLEAN: Found = Found::Cached {
        writable: false,
        dirty: false,
    };
    const WRITTEN: Found = Found::Cached {
        writable: true,
        dirty: true,
    };
    const COPY: Found = Found::Copy { writable: true };
    let write = FaultFlags::WRITE;
    let read = FaultFlags::empty();
    for (backing, vm, flags, expected) in [
        (Backing::File, VmFlags::PRIVATE, read, CLEAN),
        (Backing::File, VmFlags::PRIVATE, write, COPY),
        // Where the file system wants to know of the first write, a read maps nothing that may be written to.
        (Backing::File, SHARED, read, CLEAN),
        (Backing::File, SHARED, write, WRITTEN),
        (Backing::Shmem, VmFlags::PRIVATE, read, CLEAN),
        (Backing::Shmem, VmFlags::PRIVATE, write, COPY),
        (
            Backing::Shmem,
            SHARED,
            read,
            Found::Cached {
                writable: true,
                dirty: false,
            },
        ),
        (Backing::Shmem, SHARED, write, WRITTEN),
        (Backing::Shmem, SHARED - VmFlags::WRITE, read, CLEAN),
        (Backing::Secretmem, SHARED, write, WRITTEN),
    ] {
        for profile in Profile::ALL {
            for (warm, wait) in [(false, read), (true, read), (false, MAY_RETRY)] {
                let (mut boot, area, file) = mapped_on(profile, backing, vm);
                if warm {
                    boot.cached(file, 0);
                }
                boot.free_pages(3);
                let world = World::new(boot);
                let fault = touch(&world, area, flags | wait);
                let what = (backing, vm, flags, warm, wait);
                let drops = wait != read && expected == WRITTEN;
                let how = if drops && backing != Backing::File {
                    // Nothing to be read, so the first try dropped the lock, at its end.
                    VmFault::Completed
                } else {
                    VmFault::Done
                };
                assert_eq!(fault, how, "{what:?}");
                let entry = pte(&world, area, 0);
                let cached = cache(&world, file, 0).expect("it is in the cache");
                let found = if entry.pfn() == cached {
                    Found::Cached {
                        writable: entry.is_writable(),
                        dirty: entry.is_dirty(),
                    }
                } else {
                    Found::Copy {
                        writable: entry.is_writable(),
                    }
                };
                assert_eq!(found, expected, "{what:?}");
                let dirty = world.flags(cached).contains(PageFlags::DIRTY);
                assert_eq!(dirty, expected == WRITTEN, "{what:?}");
                assert!(!world.flags(cached).contains(PageFlags::NOT_UPTODATE));
                audit(&world, &[]);
            }
        }
    }
}

/// A private copy is anonymous and exclusive, and the file's page is not touched by it.
#[test]
fn a_private_write_to_a_page_that_is_mapped_copies_it() {
    for backing in [Backing::File, Backing::Shmem] {
        let (mut boot, area, file) = mapped(backing, VmFlags::PRIVATE);
        let page = boot.cached(file, 0);
        boot.map_cached(area, 0, page, false);
        boot.free_pages(1);
        let world = World::new(boot);
        assert_eq!(touch(&world, area, FaultFlags::WRITE), VmFault::Done);
        let copy = pte(&world, area, 0).pfn();
        assert_ne!(copy, page);
        assert!(world.flags(copy).contains(PageFlags::ANON_EXCLUSIVE));
        let of = world.get(world.machine.page(copy).mapping);
        assert_eq!(of, Mapping::Anon);
        audit(&world, &[]);
    }
}

/// The first write to a page of a shared mapping: nothing is copied, the file system is told, and who may drops the mmap lock.
#[test]
fn a_shared_write_to_a_page_that_is_mapped_makes_it_writable() {
    for (backing, told) in [(Backing::File, true), (Backing::Shmem, false)] {
        for (flags, expected) in [
            (FaultFlags::WRITE, VmFault::Done),
            (FaultFlags::WRITE | MAY_RETRY, VmFault::Completed),
            (
                FaultFlags::WRITE | MAY_RETRY | FaultFlags::RETRY_NOWAIT,
                VmFault::Done,
            ),
            (
                FaultFlags::WRITE | MAY_RETRY | FaultFlags::TRIED,
                VmFault::Done,
            ),
        ] {
            let (mut boot, area, file) = mapped(backing, SHARED);
            let page = boot.cached(file, 0);
            boot.map_cached(area, 0, page, false);
            let world = World::new(boot);
            assert_eq!(touch(&world, area, flags), expected);
            assert_eq!(world.entered("do_page_mkwrite"), told);
            let entry = pte(&world, area, 0);
            assert_eq!(entry, Entry::leaf(page, true));
            assert!(world.flags(page).contains(PageFlags::DIRTY));
            audit(&world, &[]);
        }
    }
}

#[test]
fn behind_the_end_of_a_file_there_is_nothing() {
    for backing in [Backing::File, Backing::Shmem, Backing::Secretmem] {
        let (mut boot, area, file) = mapped(backing, SHARED);
        boot.cached(file, 0);
        boot.free_pages(2);
        let world = World::new(boot);
        truncate(&world.cpu(), file, 0);
        for flags in [FaultFlags::empty(), FaultFlags::WRITE | MAY_RETRY] {
            assert_eq!(touch(&world, area, flags), VmFault::Sigbus);
        }
        assert_eq!(cache(&world, file, 0), None);
        audit(&world, &[]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_tried_twice_at_most() {
    for wait in [FaultFlags::empty(), MAY_RETRY] {
        let (mut boot, area, file) = mapped(Backing::File, SHARED);
        boot.unreadable(file);
        boot.free_pages(2);
        let world = World::new(boot);
        assert_eq!(touch(&world, area, wait), VmFault::Sigbus);
        assert_eq!(pte(&world, area, 0), Entry::NONE);
        audit(&world, &[]);
    }
}

/// However little memory there is, nothing is lost.
#[test]
fn without_memory_a_fault_fails_and_keeps_nothing() {
    for (backing, vm, flags, needed) in [
        (Backing::File, VmFlags::PRIVATE, FaultFlags::empty(), 2),
        (Backing::File, VmFlags::PRIVATE, FaultFlags::WRITE, 3),
        (Backing::File, SHARED, FaultFlags::WRITE, 2),
        (Backing::Shmem, SHARED, FaultFlags::WRITE, 2),
        (Backing::Secretmem, SHARED, FaultFlags::empty(), 2),
    ] {
        for free in 0..=needed {
            let (mut boot, area, _) = mapped(backing, vm);
            boot.free_pages(free);
            let world = World::new(boot);
            let expected = if free < needed {
                VmFault::Oom
            } else {
                VmFault::Done
            };
            let what = (backing, vm, flags, free);
            assert_eq!(touch(&world, area, flags), expected, "{what:?}");
            audit(&world, &[]);
        }
    }
}

/// What is cut off goes: from the cache, from all who map it, and the private copies too. A reference stays somebody's.
#[test]
fn a_file_that_becomes_shorter_takes_its_pages_with_it() {
    let (mut boot, area, file) = mapped(Backing::File, SHARED);
    let pages = [boot.cached(file, 0), boot.cached(file, 1)];
    for nth in 0..2 {
        boot.map_cached(area, nth, pages[nth as usize], true);
    }
    // Another process has a copy of the second page.
    let private = boot.anon_area(1);
    boot.maps_file(private, file, 1);
    let copy = boot.anon_page(gupcheck_core::folio::Owner::Us, 0);
    boot.map(private.mm, private.start, copy, true);
    let world = World::new(boot);
    let gup = get_user_pages_unlocked(&world.cpu(), range(area, 2), Foll::WRITE);
    assert_eq!(outcome(&gup), (Ok(2), pages.to_vec()));
    truncate(&world.cpu(), file, 1);
    assert_eq!(pte(&world, area, 0).pfn(), pages[0]);
    assert_eq!(pte(&world, area, 1), Entry::NONE);
    assert_eq!(pte(&world, private, 0), Entry::NONE);
    assert!(world.is_free(copy));
    assert_eq!(cache(&world, file, 1), None);
    let of = world.get(world.machine.page(pages[1]).mapping);
    assert_eq!(of, Mapping::None);
    audit(&world, &[Held::Refs(pages[0], 1), Held::Refs(pages[1], 1)]);
}

#[test]
fn who_unmaps_a_files_page_leaves_it_in_the_cache_and_dirty() {
    let (mut boot, area, file) = mapped(Backing::File, SHARED);
    let page = boot.cached(file, 0);
    boot.map_cached(area, 0, page, true);
    let world = World::new(boot);
    let cpu = world.cpu();
    madvise_dontneed(&cpu, area.mm, area.start, area.end);
    assert_eq!(cache(&world, file, 0), Some(page));
    assert!(world.flags(page).contains(PageFlags::DIRTY));
    audit(&world, &[]);
    assert!(munmap(&cpu, area.mm, area.vma));
    // Nobody finds the area by the file any more.
    truncate(&cpu, file, 0);
    assert!(world.is_free(page));
    audit(&world, &[]);
}

#[test]
fn a_numa_hint_in_a_shared_mapping_is_taken_back_as_writable_as_it_was() {
    let read_only = SHARED - VmFlags::WRITE;
    for (backing, vm, dirty, writable) in [
        (Backing::File, SHARED, true, true),
        (Backing::File, SHARED, false, false),
        (Backing::Shmem, SHARED, false, true),
        (Backing::Shmem, read_only, false, false),
    ] {
        let (mut boot, area, file) = mapped(backing, vm);
        let page = boot.cached(file, 0);
        boot.map_cached(area, 0, page, false);
        let mark = if dirty { Bits::DIRTY } else { Bits::empty() };
        boot.change_pte(area.mm, area.start, |entry| {
            Boot::prot_none(entry).with(mark)
        });
        let world = World::new(boot);
        assert_eq!(touch(&world, area, FaultFlags::empty()), VmFault::Done);
        let entry = pte(&world, area, 0);
        assert!(entry.access_permitted(false));
        assert_eq!(entry.is_writable(), writable, "{backing:?} {vm:?}");
        audit(&world, &[]);
    }
}

/// An area whose frames a driver has mapped: GUP refuses it, and who fixes a fault up may write where the area lets it.
#[test]
fn frames_that_a_driver_maps_are_no_pages_and_may_be_written_to() {
    let (private, shared) = (VmFlags::PRIVATE | VmFlags::PFNMAP, SHARED | VmFlags::PFNMAP);
    for vm in [private, shared] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.area_of(2, vm, Backing::Pfn);
        let frame = boot.map_pfn(area, 0, false);
        boot.free_pages(1);
        let world = World::new(boot);
        let cpu = world.cpu();
        let gup = get_user_pages_unlocked(&cpu, range(area, 1), Foll::empty());
        assert_eq!(gup.result, Err(Errno::Efault));
        let mm = world.machine.mm(area.mm);
        let fixup = |addr, flags| {
            mm.read_lock(&cpu);
            let mut unlocked = false;
            let fixed = fixup_user_fault(&cpu, area.mm, addr, flags, Some(&mut unlocked));
            mm.read_unlock(&cpu);
            assert!(!unlocked, "there is nothing to wait for");
            fixed
        };
        assert_eq!(fixup(area.start, FaultFlags::WRITE), Ok(()));
        let entry = pte(&world, area, 0);
        assert!(entry.is_writable() && entry.is_dirty());
        // What is private is copied, and is a page then.
        assert_eq!(entry.pfn() == frame, vm == shared);
        assert_eq!(entry.is_special(), vm == shared);
        // What the driver did not map is not there.
        let hole = fixup(area.addr(1), FaultFlags::empty());
        assert_eq!(hole, Err(Errno::Efault));
        audit(&world, &[Held::Refs(frame, 1)]);
    }
}

#[test]
fn an_area_maps_its_part_of_a_file() {
    let mut boot = boot(&X86_NATIVE);
    let file = boot.file(Backing::File, 3);
    let area = boot.area_of(2, SHARED, Backing::File);
    boot.maps_file(area, file, 1);
    boot.free_pages(2);
    let world = World::new(boot);
    assert_eq!(touch(&world, area, FaultFlags::empty()), VmFault::Done);
    let first = cache(&world, file, 1);
    assert_eq!(first, Some(pte(&world, area, 0).pfn()));
    assert_eq!(area.addr(1), area.start + PAGE_SIZE);
    assert_eq!(
        (cache(&world, file, 0), cache(&world, file, 2)),
        (None, None)
    );
    audit(&world, &[]);
}
