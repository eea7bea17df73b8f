//! How entries of hugetlb's pages go, and pages of a file of hugetlbfs; and a huge leaf of device memory.

use crate::books::{Held, audit};
use crate::common::{World, boot};
use crate::hugetlb::{SHARED, area};
use gupcheck_core::arch::{POWERPC, Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, PageFlags, Pfn};
use gupcheck_core::mm::{Backing, FaultFlags, VmFault, VmFlags};
use gupcheck_core::mutators::{
    dax_layout_is_idle, do_user_addr_fault, madvise_dontneed, munmap, replace_huge_pud, truncate,
};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};
use gupcheck_core::step::Kernel;

/// Both pages of the area are in the file, and mapped.
fn both(profile: &'static Profile) -> (Boot, Area, gupcheck_core::machine::FileId, [Pfn; 2]) {
    let (mut boot, area, file, _) = area(profile, SHARED);
    let pages = [boot.cached_huge(file, 0), boot.cached_huge(file, 1)];
    for (nth, page) in [(0, pages[0]), (4, pages[1])] {
        boot.map_leaf(area.mm, area.addr(nth), Level::Pmd, page, true);
        let flags = boot.page(page).flags;
        let shared = boot.layout().get(flags) - PageFlags::ANON_EXCLUSIVE;
        boot.layout().set(flags, shared);
    }
    (boot, area, file, pages)
}

/// The entry of a level at an address.
fn entry(world: &World, area: Area, nth: u32, level: Level) -> Entry {
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    let found = gupcheck_core::pgtable::find_entry(&cpu, mm, area.addr(nth), level);
    found.map_or(Entry::NONE, |ptr| ptr.get(&cpu))
}

fn place(ops: &[String], op: &str) -> usize {
    let found = ops.iter().position(|other| other == op);
    found.unwrap_or_else(|| panic!("{op} is not among {ops:#?}"))
}

/// Counted down without an order, under the entry's lock, and dirty; whatever table somebody else has deposited stays.
#[test]
fn a_page_is_unmapped_and_no_table_is_looked_for() {
    for profile in Profile::ALL {
        let (mut boot, area, _, pages) = both(profile);
        let other = boot.geometry().span(Level::Pud);
        boot.mmap(area.mm, other, 4, VmFlags::PRIVATE, Backing::Anon);
        let thp = boot.thp(gupcheck_core::folio::Owner::Us, 0);
        boot.map_huge(area.mm, other, thp, true);
        let table = boot.deposit(area.mm, other, Entry::NONE);
        let world = World::new(boot);
        let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
        for page in pages {
            let counted = place(&ops, &format!("sub.Relaxed {page}.entire_mapcount"));
            let unlocked = ops[counted..]
                .iter()
                .position(|op| op.starts_with("unlock"));
            assert!(unlocked.is_some());
            assert!(world.flags(page).contains(PageFlags::DIRTY));
            assert_eq!(world.refs(page), 1, "the cache's");
        }
        assert_eq!(entry(&world, area, 0, Level::Pmd), Entry::NONE);
        let deposited = world.machine.mm(area.mm).deposited[0];
        assert_eq!(world.plain(deposited).0, Some(table), "{profile}");
        assert!(world.no_locks_held());
    }
}

/// `i_mmap` is held until the flush is over where an area stays, and until its entries are gone where it goes.
#[test]
fn the_files_areas_are_locked_meanwhile() {
    for goes in [false, true] {
        let (boot, area, _, pages) = both(&X86_NATIVE);
        let world = World::new(boot);
        let ops = world.ops(|cpu| {
            if goes {
                assert!(munmap(cpu, area.mm, area.vma));
            } else {
                madvise_dontneed(cpu, area.mm, area.start, area.end);
            }
        });
        let (lock, unlock) = ("lock file0.i_mmap_rwsem", "unlock file0.i_mmap_rwsem");
        let counted = place(&ops, &format!("sub.Relaxed {}.entire_mapcount", pages[1]));
        let flushed = place(&ops, "wait irqs off");
        assert!(place(&ops, lock) < counted && counted < place(&ops, unlock));
        assert_eq!(flushed < place(&ops, unlock), !goes);
        audit(&world, &[]);
    }
}

/// The flush comes once the lock of the entry is dropped: the next entry is another page's.
#[test]
fn pages_that_cannot_be_noted_go_at_once() {
    let (mut boot, area, _, pages) = both(&X86_NATIVE);
    boot.gather_pages(1);
    let world = World::new(boot);
    let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
    let flushes = ops.iter().filter(|op| *op == "wait irqs off").count();
    assert_eq!(flushes, 2);
    let first = place(&ops, &format!("sub.Full {}.refcount", pages[0]));
    assert!(first < place(&ops, &format!("sub.Relaxed {}.entire_mapcount", pages[1])));
    audit(&world, &[]);
}

/// Of an entry that is not present nothing is asked: neither whether its folio is locked, nor whose it is.
#[test]
fn what_is_not_present_is_cleared() {
    for change in [|entry: Entry| entry.migration(false), Entry::poisoned] {
        let (mut boot, area, file, slot) = area(&X86_NATIVE, SHARED);
        let page = boot.cached_huge(file, 0);
        let entry = Entry::leaf(page, true).huge();
        boot.layout().set(slot, change(entry));
        let world = World::new(boot);
        let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
        assert_eq!(world.get(slot), Entry::NONE);
        let name = format!("{page}.");
        assert!(!ops.iter().any(|op| op.contains(&name)), "{ops:#?}");
        audit(&world, &[]);
    }
}

/// Leaves of the PUD level are not passed over.
#[test]
fn gigantic_pages_go_too() {
    let mut boot = Boot::new(Kernel::new(&X86_NATIVE), 2, 1);
    boot.gigantic_pages();
    let head = boot.hugetlb_page(0);
    let mm = boot.new_mm();
    let start = boot.geometry().span(Level::Pud);
    boot.mmap(mm, start, 4, VmFlags::PRIVATE, Backing::Hugetlb);
    boot.map_leaf(mm, start, Level::Pud, head, true);
    let world = World::new(boot);
    let end = start + world.machine.geometry.span(Level::Pud);
    madvise_dontneed(&world.cpu(), mm, start, end);
    // No list has blocks of that size: each page goes by itself.
    assert!((0..4).all(|n| world.is_free(head.plus(n))));
    assert_eq!(world.get(world.machine.page(head).entire_mapcount), 0);
    assert!(world.no_locks_held());
}

/// Nor are those of a directory.
#[test]
fn what_is_in_a_directory_goes_too() {
    let mut boot = boot(&POWERPC);
    let area = boot.area_of(4, VmFlags::PRIVATE, Backing::Hugetlb);
    let directory = boot.hugepd(area.mm, area.start, Level::Pmd);
    // hugetlb's own pages are of another size here.
    boot.hugetlb_page(1);
    let head = boot.large_folio(1, gupcheck_core::folio::Owner::Us, 0);
    set_hugetlb(&mut boot, head);
    boot.map_hugepte(directory, 1, head, true);
    let world = World::new(boot);
    madvise_dontneed(&world.cpu(), area.mm, area.start, area.end);
    assert!(world.is_free(head));
    assert!(entry(&world, area, 0, Level::Pmd).is_hugepd());
}

fn set_hugetlb(boot: &mut Boot, pfn: Pfn) {
    crate::common::set_flag(boot, pfn, PageFlags::HUGETLB, true);
}

/// What is cut off goes from who maps it, private copies too, and from the cache; the rest stays.
#[test]
fn a_file_of_huge_pages_becomes_shorter() {
    let (mut boot, area, file, pages) = both(&X86_NATIVE);
    let private = boot.area_of(8, VmFlags::PRIVATE, Backing::Hugetlb);
    boot.maps_file(private, file, 0);
    let copies = [boot.hugetlb_page(0), boot.hugetlb_page(0)];
    for (nth, copy) in [(0, copies[0]), (4, copies[1])] {
        boot.map_leaf(private.mm, private.addr(nth), Level::Pmd, copy, true);
    }
    // Somebody has a reference of what goes.
    boot.take_reference(pages[1]);
    let world = World::new(boot);
    let cpu = world.cpu();
    let ops = world.ops(|cpu| truncate(cpu, file, 1));
    for area in [area, private] {
        assert!(entry(&world, area, 0, Level::Pmd).is_huge());
        assert_eq!(entry(&world, area, 4, Level::Pmd), Entry::NONE);
    }
    assert!(world.is_free(copies[1]) && !world.is_free(copies[0]));
    let of = world.get(world.machine.page(pages[1]).mapping);
    assert_eq!(of, Mapping::None);
    // A page leaves the cache with the mutex held.
    let mutex = place(&ops, "lock file0.fault_mutex");
    let gone = place(&ops, "store.Relaxed file0.pages[1]");
    assert!(mutex < gone && gone < place(&ops, "unlock file0.fault_mutex"));
    assert_eq!(
        world.times("__unmap_hugepage_range"),
        2,
        "an area at a time"
    );
    audit(&world, &[Held::Refs(pages[1], 1)]);
    let fault = |nth| do_user_addr_fault(&cpu, area.mm, area.addr(nth), FaultFlags::WRITE);
    assert_eq!(fault(4), VmFault::Sigbus);
    assert_eq!(fault(0), VmFault::Done);
    truncate(&cpu, file, 0);
    assert!(world.is_free(pages[0]));
    audit(&world, &[Held::Refs(pages[1], 1)]);
}

/// A leaf of the PUD level, of device memory, is cleared, though only a part of it is to go, and nobody is asked to count; a table may
/// take its place.
#[test]
fn a_huge_leaf_of_a_device_goes_as_a_whole() {
    for replaced in [false, true] {
        let mut boot = boot(&X86_NATIVE);
        let (mm, start) = (boot.new_mm(), boot.geometry().span(Level::Pud));
        let first = boot.device_memory((start / PAGE_SIZE) as u32);
        boot.map_device_leaf(mm, start, Level::Pud, first, true);
        let vma = boot.mmap(mm, start, 2, VmFlags::PRIVATE, Backing::FsDax);
        boot.free_pages(1);
        let area = Area {
            mm,
            vma,
            start,
            end: start + 2 * PAGE_SIZE,
            pages: 2,
        };
        let world = World::new(boot);
        let cpu = world.cpu();
        let ops = world.ops(|cpu| {
            if replaced {
                assert!(replace_huge_pud(cpu, mm, start));
            } else {
                assert!(dax_layout_is_idle(cpu, mm, start, area.end, first));
            }
        });
        let there = entry(&world, area, 0, Level::Pud);
        assert_eq!(there.is_none(), !replaced);
        assert!(!there.is_huge());
        assert!(ops.contains(&"wait irqs off".to_owned()), "it is flushed");
        assert_eq!(world.times("zap_huge_pud"), 1);
        // There is nothing to zap any more, or a table with nothing in it.
        madvise_dontneed(&cpu, mm, start, area.end);
        assert_eq!(world.times("zap_huge_pud"), 1);
        audit(&world, &[]);
    }
}

/// A page that is mapped once more is looked for in the areas of the file, before it is locked; who maps it without the file keeps it.
#[test]
fn what_is_mapped_still_is_looked_for_again() {
    for mapped in [false, true] {
        let (mut boot, _, file, pages) = both(&X86_NATIVE);
        if mapped {
            let other = boot.area_of(4, VmFlags::PRIVATE, Backing::Hugetlb);
            boot.map_leaf(other.mm, other.start, Level::Pmd, pages[1], true);
        }
        let world = World::new(boot);
        let ops = world.ops(|cpu| truncate(cpu, file, 1));
        assert_eq!(world.entered("hugetlb_unmap_file_folio"), mapped);
        let looks = ops.iter().filter(|op| *op == "lock file0.i_mmap_rwsem");
        assert_eq!(looks.count(), if mapped { 2 } else { 1 });
        let again = (ops.iter()).rposition(|op| op == "unlock file0.i_mmap_rwsem");
        let locked = place(&ops, &format!("test_and_set.Acquire {}.flags", pages[1]));
        assert!(again < Some(locked));
        assert_eq!(world.times("__unmap_hugepage_range"), 1);
        audit(&world, &[]);
    }
}
