//! Changes of protection, each alone: what an entry is afterwards, and who may still have the page.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome, populated, set_flag};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Area;
use gupcheck_core::folio::{Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, get_user_pages_fast, pin_user_pages_fast_only, unpin_user_pages,
};
use gupcheck_core::mm::{Backing, FaultFlags, VmFault, VmFlags, handle_mm_fault};
use gupcheck_core::mutators::{
    change_prot_numa, clear_refs, do_user_addr_fault, madvise_dontneed, migrate_page, mprotect,
    mwriteprotect_range,
};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

/// An area of two pages whose flags may change.
fn world(profile: &'static Profile) -> (World, Area, Vec<Pfn>) {
    let mut boot = boot(profile);
    let (area, pages) = populated(&mut boot, 2);
    boot.protectable(area);
    boot.free_block(0);
    (World::new(boot), area, pages)
}

fn pte(world: &World, area: Area) -> Entry {
    entry(world, area, area.start, Level::Pte).expect("a table")
}

#[test]
fn mprotect_takes_everything_away_and_gives_it_back() {
    for profile in Profile::ALL {
        let (world, area, pages) = world(profile);
        let cpu = world.cpu();
        let before = pte(&world, area);
        mprotect(&cpu, area, VmFlags::empty());
        assert!(pte(&world, area).is_prot_none() && pte(&world, area).pfn() == pages[0]);
        for flags in [Foll::empty(), Foll::WRITE] {
            let gup = get_user_pages_fast(&cpu, area.mm, area.start, 2, flags);
            assert_eq!(gup.result, Err(Errno::Efault), "{profile}");
        }
        for flags in [FaultFlags::empty(), FaultFlags::WRITE] {
            let fault = do_user_addr_fault(&cpu, area.mm, area.start, flags);
            assert_eq!(fault, VmFault::Sigbus);
        }
        mprotect(&cpu, area, VmFlags::READ | VmFlags::WRITE);
        // The page is exclusive: it is writable at once.
        assert_eq!(pte(&world, area), before);
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_is_not_exclusive_stays_read_only() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 1);
    boot.protectable(area);
    boot.share(area, pages[0]);
    let world = World::new(boot);
    let cpu = world.cpu();
    mprotect(&cpu, area, VmFlags::READ);
    mprotect(&cpu, area, VmFlags::READ | VmFlags::WRITE);
    assert!(!pte(&world, area).is_writable() && pte(&world, area).access_permitted(false));
    audit(&world, &[]);
}

#[test]
fn a_part_of_a_huge_pmd_is_split_and_the_whole_is_changed_as_it_is() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 0);
        boot.protectable(area);
        let world = World::new(boot);
        let ops = world.ops(|cpu| mprotect(cpu, area, VmFlags::READ));
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert!(pmd.is_huge() && !pmd.is_writable() && pmd.pfn() == head);
        let order = profile.clear;
        assert!(
            ops.contains(&format!("xchg.{order:?} mm0.pmd[1]")),
            "{profile}"
        );
        audit(&world, &[]);
    }
}

#[test]
fn a_numa_hint_is_no_protection_and_a_fault_takes_it_back() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    let before = pte(&world, area);
    change_prot_numa(&cpu, area);
    assert!(pte(&world, area).is_prot_none());
    // The fast path takes neither; the slow path knows the area.
    let fast = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::empty());
    assert_eq!(outcome(&fast), (Ok(0), vec![]));
    let slow = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::empty());
    assert_eq!(got(&slow), [pages[0]]);
    let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::WRITE);
    assert_eq!((fault, pte(&world, area)), (VmFault::Done, before));
    audit(&world, &[Held::Refs(pages[0], 1)]);
}

/// Both ways to an entry that may be writable at once, which the kernel judges by one function. Of shmem every entry is, for nobody
/// wants to know of the first write.
#[test]
fn in_a_shared_area_an_entry_becomes_writable_at_once_if_it_is_dirty() {
    let shared = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    for (backing, of, dirty, expected) in [
        (Backing::File, Mapping::File, false, false),
        (Backing::File, Mapping::File, true, true),
        (Backing::Shmem, Mapping::Shmem, false, true),
    ] {
        let mut boot = boot(&ARM64);
        let area = boot.area_of(1, shared, backing);
        let page = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.start, page, false);
        let mapping = boot.page(page).mapping;
        boot.layout().set(mapping, of);
        boot.protectable(area);
        let mark = if dirty { Bits::DIRTY } else { Bits::empty() };
        boot.change_ptes(area, |pte| pte.without(Bits::DIRTY).with(mark));
        let world = World::new(boot);
        let cpu = world.cpu();
        let writable = || {
            let pte = pte(&world, area);
            assert!(pte.access_permitted(false) && pte.pfn() == page);
            pte.is_writable()
        };
        change_prot_numa(&cpu, area);
        assert!(pte(&world, area).is_prot_none());
        let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::empty());
        assert_eq!((fault, writable()), (VmFault::Done, expected));
        mprotect(&cpu, area, VmFlags::READ);
        assert!(!writable());
        mprotect(&cpu, area, VmFlags::READ | VmFlags::WRITE);
        assert_eq!(writable(), expected);
    }
}

#[test]
fn a_page_that_somebody_holds_gets_no_hint() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    let pins = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    change_prot_numa(&cpu, area);
    assert!(!pte(&world, area).is_prot_none());
    let second = entry(&world, area, area.start + PAGE_SIZE, Level::Pte);
    assert!(second.is_some_and(Entry::is_prot_none));
    audit(&world, &[Held::Pins(pages[0], 1)]);
    unpin_user_pages(&cpu, &pins.pages);
}

#[test]
fn a_userfaultfd_keeps_writers_out_until_it_is_resolved() {
    let (world, area, pages) = world(&ARM64);
    let cpu = world.cpu();
    mwriteprotect_range(&cpu, area, false);
    assert!(pte(&world, area).is_uffd_wp() && !pte(&world, area).is_writable());
    let gup = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Efault));
    let moved = migrate_page(&cpu, pages[0]).expect("it moves").head().pfn;
    assert!(pte(&world, area).is_uffd_wp() && pte(&world, area).pfn() == moved);
    mwriteprotect_range(&cpu, area, true);
    assert!(!pte(&world, area).is_uffd_wp() && pte(&world, area).is_writable());
    audit(&world, &[]);
}

#[test]
fn soft_dirty_leaves_a_page_alone_that_looks_pinned() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    let pins = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    clear_refs(&cpu, area);
    assert!(pte(&world, area).is_writable());
    let second = entry(&world, area, area.start + PAGE_SIZE, Level::Pte);
    assert!(second.is_some_and(|pte| pte.pte_present() && !pte.is_writable()));
    audit(&world, &[Held::Pins(pages[0], 1)]);
    unpin_user_pages(&cpu, &pins.pages);
}

#[test]
fn a_migration_entry_comes_back_as_the_area_allows() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 1);
    boot.protectable(area);
    boot.change_pte(area.mm, area.start, |pte| pte.migration(true));
    let locked = PageFlags::LOCKED;
    set_flag(&mut boot, pages[0], locked, true);
    let world = World::new(boot);
    mprotect(&world.cpu(), area, VmFlags::READ);
    let entry = pte(&world, area);
    assert!(entry.is_migration() && entry.was_exclusive() && !entry.is_writable());
    assert!(entry.bits().contains(Bits::DIRTY));
}

/// A split gives each PTE what the area permits: a NUMA hint is not passed on, and in a forbidden area nothing becomes readable.
#[test]
fn a_split_permits_what_the_area_permits() {
    for forbidden in [false, true] {
        let mut boot = boot(&X86_NATIVE);
        let (area, _, _) = huge(&mut boot, 0);
        boot.protectable(area);
        let world = World::new(boot);
        let cpu = world.cpu();
        if forbidden {
            mprotect(&cpu, area, VmFlags::empty());
        } else {
            change_prot_numa(&cpu, area);
        }
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a table");
        assert!(pmd.is_prot_none());
        // A part of it goes, so the pmd is split.
        madvise_dontneed(&cpu, area.mm, area.start, area.start + PAGE_SIZE);
        let next = entry(&world, area, area.start + PAGE_SIZE, Level::Pte).expect("a table");
        assert_eq!(next.is_prot_none(), forbidden);
        assert_eq!(next.access_permitted(false), !forbidden);
        audit(&world, &[]);
    }
}

/// The huge zero page gets no NUMA hint, and its PTEs in a forbidden area are forbidden.
#[test]
fn the_huge_zero_page_is_not_hinted() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    boot.wants_huge_pages(area);
    boot.zero_page();
    boot.huge_zero_page(true);
    boot.protectable(area);
    boot.free_block(0);
    let world = World::new(boot);
    let cpu = world.cpu();
    let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::empty());
    assert_eq!(fault, VmFault::Done);
    let pmd = || entry(&world, area, area.start, Level::Pmd).expect("a table");
    let before = pmd();
    assert!(before.is_huge());
    change_prot_numa(&cpu, area);
    assert_eq!(pmd(), before);
    mprotect(&cpu, area, VmFlags::empty());
    assert!(pmd().is_prot_none());
    madvise_dontneed(&cpu, area.mm, area.start, area.start + PAGE_SIZE);
    let next = entry(&world, area, area.start + PAGE_SIZE, Level::Pte).expect("a table");
    assert!(next.is_special() && next.is_prot_none());
    audit(&world, &[]);
}

/// A userfaultfd's mark is put on what is no page just now, and comes back with the page.
#[test]
fn swap_type_entries_are_marked_for_a_userfaultfd() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let slot = boot.map_swap(area.mm, area.start, true);
    let page = boot.cached_for(slot);
    let world = World::new(boot);
    let cpu = world.cpu();
    mwriteprotect_range(&cpu, area, false);
    assert_eq!(
        pte(&world, area),
        Entry::swap(slot, true).with(Bits::UFFD_WP)
    );
    let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::WRITE);
    assert_eq!(fault, VmFault::Done);
    let entry = pte(&world, area);
    assert!(entry.is_uffd_wp() && !entry.is_writable() && entry.pfn() == page);
    audit(&world, &[]);
}

#[test]
fn a_pmd_migration_entry_is_marked_for_a_userfaultfd() {
    let mut boot = boot(&X86_NATIVE);
    let (area, head, _) = huge(&mut boot, 0);
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let migrating = boot.layout().get(pmd).migration(true);
    boot.layout().set(pmd, migrating);
    set_flag(&mut boot, head, PageFlags::LOCKED, true);
    let world = World::new(boot);
    let cpu = world.cpu();
    mwriteprotect_range(&cpu, area, false);
    let marked = entry(&world, area, area.start, Level::Pmd).expect("a table");
    assert!(marked.is_uffd_wp() && !marked.is_writable() && marked.was_exclusive());
    mwriteprotect_range(&cpu, area, true);
    let again = entry(&world, area, area.start, Level::Pmd).expect("a table");
    assert!(!again.is_uffd_wp() && !again.is_writable());
}

/// Where `pte_needs_flush` is the generic one, a change that takes nothing away is flushed as well.
#[test]
fn x86_alone_leaves_a_flush_out() {
    for (profile, flushes) in [(&X86_PV, false), (&ARM64, true)] {
        let (world, area, _) = world(profile);
        let cpu = world.cpu();
        mprotect(&cpu, area, VmFlags::READ);
        let ops = world.ops(|cpu| mprotect(cpu, area, VmFlags::READ | VmFlags::WRITE));
        // Read-only to writable: hardware loses nothing, but x86 flushes what changes there as well.
        assert!(ops.iter().any(|op| op == "fence.SeqCst"), "{profile}");
        mprotect(&cpu, area, VmFlags::empty());
        let ops = world.ops(|cpu| mprotect(cpu, area, VmFlags::READ | VmFlags::WRITE));
        assert_eq!(
            ops.iter().any(|op| op == "fence.SeqCst"),
            flushes,
            "{profile}"
        );
    }
}

/// A forced access faults a page in where nobody may touch it: the entry is none that hardware could use.
#[test]
fn what_is_faulted_in_has_the_areas_protection() {
    for (write, zero) in [(true, false), (false, false), (false, true)] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(1);
        boot.protectable(area);
        boot.free_block(0);
        boot.free_block(0);
        if zero {
            boot.zero_page();
        }
        let world = World::new(boot);
        let cpu = world.cpu();
        mprotect(&cpu, area, VmFlags::empty());
        let mm = world.machine.mm(area.mm);
        let flags = if write {
            FaultFlags::WRITE
        } else {
            FaultFlags::empty()
        };
        let fault = handle_mm_fault(&cpu, mm, &mm.vmas[area.vma], area.start, flags);
        assert_eq!(fault, VmFault::Done);
        let pte = pte(&world, area);
        assert!(pte.is_prot_none() && !pte.is_writable());
        assert_eq!(pte.is_special(), zero);
        audit(&world, &[]);
    }
}

/// `ptep_modify_prot_start`: the entry is none for a moment.
#[test]
fn a_hint_is_taken_back_by_way_of_no_entry() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    change_prot_numa(&cpu, area);
    let table = entry(&world, area, area.start, Level::Pmd).expect("a table");
    let index = (area.start / PAGE_SIZE) as usize % 4;
    let slot = world.machine.page(table.pfn()).table.entries[index];
    let written = world.written(slot, || {
        do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::empty());
    });
    assert_eq!(written, [Entry::NONE, Entry::leaf(pages[0], true)]);
}
