//! Directories of huge pages: what both walks get of them.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome, set_flag};
use gupcheck_core::arch::{POWERPC, Profile};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast_only, get_user_pages_unlocked, pin_user_pages_fast_only,
};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

/// An area of eight small pages, whose first pmd links a directory with two huge pages of two small ones each; and a small page
/// behind that.
fn directory(write: bool) -> (Boot, Area, [Pfn; 2], Pfn, Pfn) {
    let mut boot = boot(&POWERPC);
    let area = boot.anon_area(8);
    let directory = boot.hugepd(area.mm, area.start, Level::Pmd);
    let heads = [0, 1].map(|nth| {
        let head = boot.large_folio(1, Owner::Us, 0);
        boot.map_hugepte(directory, nth, head, write);
        head
    });
    let small = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.addr(4), small, write);
    (boot, area, heads, small, directory)
}

#[test]
fn powerpc_alone_has_them() {
    let with = Profile::ALL.map(|profile| profile.hugepd_order.is_some());
    assert_eq!(with.iter().filter(|&&has| has).count(), 1);
    assert!(POWERPC.hugepd_order.is_some());
    assert!(Entry::directory(Pfn(3)).pmd_present());
    assert_eq!(Entry::directory(Pfn(3)).to_string(), "directory:page3|");
}

/// From any offset, to any offset, and on behind the directory.
// PARITY: 2
#[test]
fn a_directory_is_walked_page_by_huge_page() {
    for first in 0..4_u32 {
        for count in 1..=(5 - first) {
            let (boot, area, [one, two], small, _) = directory(true);
            let world = World::new(boot);
            let gup = pin_user_pages_fast_only(
                &world.cpu(),
                area.mm,
                area.addr(first),
                count as i32,
                Foll::WRITE,
            );
            let all = [one, one.plus(1), two, two.plus(1), small];
            let wanted: Vec<_> = all[first as usize..][..count as usize].to_vec();
            assert_eq!(outcome(&gup), (Ok(wanted.len()), wanted.clone()));
            let held: Vec<_> = wanted.iter().map(|&pfn| Held::Pins(pfn, 1)).collect();
            audit(&world, &held);
            assert!(world.flags(wanted[0]).contains(PageFlags::REFERENCED) || first % 2 == 1);
        }
    }
}

/// The directory may be linked by an entry of any level that has tables.
// PARITY: 2
#[test]
fn a_directory_may_be_linked_higher_up() {
    for level in [Level::Pgd, Level::Pud] {
        let mut boot = boot(&POWERPC);
        let mm = boot.new_mm();
        let start = boot.geometry().span(level);
        let directory = boot.hugepd(mm, start, level);
        let head = boot.large_folio(1, Owner::Us, 0);
        boot.map_hugepte(directory, 1, head, true);
        let world = World::new(boot);
        let addr = start + 2 * PAGE_SIZE;
        let gup = get_user_pages_fast_only(&world.cpu(), mm, addr, 4, Foll::empty());
        // The next entry is none.
        assert_eq!(
            outcome(&gup),
            (Ok(2), vec![head, head.plus(1)]),
            "{level:?}"
        );
        assert!(world.entered("gup_huge_pd"));
        audit(&world, &[Held::Refs(head, 2)]);
    }
}

/// What becomes of a directory's first entry, and whether such a pin gets its page.
type Case = (fn(Entry) -> Entry, Foll, bool);

// PARITY: 2
#[test]
fn a_huge_page_of_a_directory_is_taken_as_any_other_leaf() {
    let cases: [Case; 4] = [
        (|entry| entry, Foll::WRITE, true),
        (|entry| entry.without(Bits::WRITE), Foll::WRITE, false),
        (|_| Entry::NONE, Foll::empty(), false),
        (Boot::prot_none, Foll::empty(), false),
    ];
    for (change, flags, got) in cases {
        let (mut boot, area, heads, _, directory) = directory(true);
        let slot = boot.page(directory).table.entries[0];
        let entry = boot.layout().get(slot);
        boot.layout().set(slot, change(entry));
        let world = World::new(boot);
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, flags);
        assert_eq!(gup.pages.len(), if got { 2 } else { 0 }, "{flags:?}");
        let pins = if got { 2 } else { 0 };
        assert_eq!(world.pins(heads[0]), pins);
    }
}

// PARITY: 2, 8
#[test]
fn its_gates_are_those_of_a_leaf() {
    for (mapping, exclusive, flags, got) in [
        (Mapping::Anon, true, Foll::empty(), true),
        (Mapping::Anon, false, Foll::empty(), false),
        (Mapping::File, true, Foll::WRITE | Foll::LONGTERM, false),
    ] {
        let write = flags.contains(Foll::WRITE);
        let (mut boot, area, heads, _, _) = directory(write);
        let of = boot.page(heads[0]).mapping;
        boot.layout().set(of, mapping);
        set_flag(&mut boot, heads[0], PageFlags::ANON_EXCLUSIVE, exclusive);
        let world = World::new(boot);
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, flags);
        let expected = if got {
            vec![heads[0], heads[0].plus(1)]
        } else {
            vec![]
        };
        assert_eq!(outcome(&gup), (Ok(expected.len()), expected));
        let held = Held::Pins(heads[0], if got { 2 } else { 0 });
        audit(&world, &[held]);
    }
}

/// The slow walk of hugetlb's pages finds them in a directory at any level.
// PARITY: 24
#[test]
fn the_slow_walk_looks_into_directories_too() {
    for level in [Level::Pud, Level::Pmd] {
        let mut boot = boot(&POWERPC);
        let start = boot.geometry().span(level);
        let mm = boot.new_mm();
        let vma = boot.mmap(mm, start, 4, VmFlags::PRIVATE, Backing::Hugetlb);
        let area = Area {
            mm,
            vma,
            start,
            end: start + 4 * PAGE_SIZE,
            pages: 4,
        };
        // In place of the table that the area brought.
        if level == Level::Pmd {
            assert!(boot.table_of(area) != Pfn(0));
        }
        let directory = boot.hugepd(mm, start, level);
        let head = boot.hugetlb_page(0);
        boot.map_hugepte(directory, 0, head, true);
        let world = World::new(boot);
        let gup = get_user_pages_unlocked(&world.cpu(), area.first(2).into(), Foll::WRITE);
        assert_eq!(outcome(&gup), (Ok(2), vec![head, head.plus(1)]));
        assert_eq!(world.times("hugetlb_follow_page_mask"), 1);
        assert!(world.no_locks_held());
    }
}
