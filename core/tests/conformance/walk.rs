//! The lockless walk by itself: what it takes, what it records, where it stops.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, got, populated, set_flag};
use crate::gates::{mapped_as, pin_one};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, Memory, Migratetype, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{Foll, get_user_pages_fast_only, pin_user_pages_fast_only};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};
use gupcheck_core::step::{Kernel, Step};

fn pins(pages: &[Pfn]) -> Vec<Held> {
    pages.iter().map(|&pfn| Held::Pins(pfn, 1)).collect()
}

/// Pins `nr_pages` from `start` on without a slow path, and audits.
fn pin(world: &World, area: Area, start: u64, nr_pages: i32, flags: Foll) -> Vec<Pfn> {
    let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, start, nr_pages, flags);
    let pages = got(&gup);
    audit(world, &pins(&pages));
    pages
}

fn pte_with(flags: Foll, change: impl FnOnce(Entry) -> Entry) -> usize {
    pin_one(flags, |boot, area, _| {
        boot.change_pte(area.mm, area.start, change);
    })
}

// PARITY: 40, 41, 44, 48
#[test]
fn a_reference_and_a_pin_are_counted_as_what_they_are() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 2);
        let world = World::new(boot);
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&gup), pages[..1]);
        let start = area.start + PAGE_SIZE;
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, start, 1, Foll::WRITE);
        assert_eq!(got(&gup), pages[1..]);
        audit(&world, &[Held::Refs(pages[0], 1), Held::Pins(pages[1], 1)]);
        assert_eq!((world.refs(pages[0]), world.refs(pages[1])), (2, 1025));
        assert!(world.flags(pages[0]).contains(PageFlags::REFERENCED));
    }
}

// PARITY: 2
#[test]
fn a_range_crosses_every_level_of_every_profile() {
    for profile in Profile::ALL {
        for (level, table_bits) in [(Level::Pmd, 2), (Level::Pud, 1), (Level::Pgd, 1)] {
            let mut boot = Boot::new(Kernel::new(profile), 2, table_bits);
            let mm = boot.new_mm();
            // Two pages before the boundary of an entry of this level, two behind it.
            let start = boot.geometry().span(level) - 2 * PAGE_SIZE;
            let vma = boot.mmap(mm, start, 4, VmFlags::PRIVATE, Backing::Anon);
            let end = start + 4 * PAGE_SIZE;
            let area = Area {
                mm,
                vma,
                start,
                end,
                pages: 4,
            };
            let pages = boot.populate(area);
            let world = World::new(boot);
            assert_eq!(
                pin(&world, area, start, 4, Foll::WRITE),
                pages,
                "{profile} {level:?}"
            );
        }
    }
}

// PARITY: 2, 7
#[test]
fn the_walk_stops_at_a_hole_of_any_level() {
    for profile in Profile::ALL {
        for level in [Level::Pte, Level::Pmd, Level::Pud, Level::Pgd] {
            let mut boot = Boot::new(Kernel::new(profile), 2, 1);
            let mm = boot.new_mm();
            let span = boot.geometry().span(level);
            let start = span - PAGE_SIZE;
            let vma = boot.mmap(mm, start, 1, VmFlags::PRIVATE, Backing::Anon);
            let area = Area {
                mm,
                vma,
                start,
                end: start + PAGE_SIZE,
                pages: 1,
            };
            let pages = boot.populate(area);
            let world = World::new(boot);
            assert_eq!(
                pin(&world, area, start, 2, Foll::WRITE),
                pages,
                "{profile} {level:?}"
            );
        }
    }
}

#[test]
fn a_hole_in_the_middle_leaves_a_prefix() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 4);
    boot.change_pte(area.mm, area.start + 2 * PAGE_SIZE, |_| Entry::NONE);
    let (refs, maps) = (boot.page(pages[2]).refcount, boot.page(pages[2]).mapcount);
    boot.layout().set(maps, 0);
    let world = World::new(boot);
    let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
    assert_eq!(got(&gup), pages[..2]);
    assert_eq!(world.get(refs), 1);
    audit(
        &world,
        &[
            Held::Pins(pages[0], 1),
            Held::Pins(pages[1], 1),
            Held::Refs(pages[2], 1),
        ],
    );
}

// PARITY: 2, 41
#[test]
fn a_huge_pmd_gives_its_subpages_from_any_offset() {
    for profile in Profile::ALL {
        for (first, count) in [(0, 4), (1, 2), (3, 1), (2, 2)] {
            let mut boot = boot(profile);
            let area = boot.anon_area(4);
            let head = boot.thp(Owner::Us, 0);
            boot.map_huge(area.mm, area.start, head, true);
            let world = World::new(boot);
            let start = area.start + u64::from(first) * PAGE_SIZE;
            let pages = pin(&world, area, start, count, Foll::WRITE);
            let expected: Vec<_> = (0..count as u32).map(|n| head.plus(first + n)).collect();
            assert_eq!(pages, expected);
            assert_eq!((world.refs(head), world.pins(head)), (1 + count, count));
        }
    }
}

#[test]
fn a_range_goes_from_a_huge_pmd_into_small_pages_and_back() {
    let mut boot = boot(&ARM64);
    let area = boot.anon_area(12);
    let span = boot.geometry().span(Level::Pmd);
    let (before, behind) = (boot.thp(Owner::Us, 0), boot.thp(Owner::Us, 0));
    boot.map_huge(area.mm, area.start, before, true);
    let middle: Vec<_> = (0..4)
        .map(|n| {
            let pfn = boot.anon_page(Owner::Us, 0);
            boot.map(area.mm, area.start + span + n * PAGE_SIZE, pfn, true);
            pfn
        })
        .collect();
    boot.map_huge(area.mm, area.start + 2 * span, behind, true);
    let world = World::new(boot);
    let pages = pin(&world, area, area.start + 3 * PAGE_SIZE, 7, Foll::WRITE);
    let mut expected = vec![before.plus(3)];
    expected.extend(middle);
    expected.extend([behind, behind.plus(1)]);
    assert_eq!(pages, expected);
}

// PARITY: 41
#[test]
fn a_large_folio_mapped_by_ptes_counts_its_pins_at_the_head() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.thp(Owner::Us, 0);
    for n in 0..4 {
        boot.map(
            area.mm,
            area.start + u64::from(n) * PAGE_SIZE,
            head.plus(n),
            true,
        );
    }
    let world = World::new(boot);
    assert_eq!(
        pin(&world, area, area.start + PAGE_SIZE, 3, Foll::WRITE).len(),
        3
    );
    assert_eq!((world.refs(head), world.pins(head)), (4 + 3, 3));
}

// PARITY: 2
#[test]
fn leaves_above_the_pmd_level_are_taken_whole_or_in_part() {
    for profile in Profile::ALL {
        for (first, count) in [(0, 4), (1, 3), (2, 1)] {
            let mut boot = Boot::new(Kernel::new(profile), 2, 1);
            let mm = boot.new_mm();
            let start = boot.geometry().span(Level::Pud);
            let head = boot.large_folio(2, Owner::Us, 0);
            boot.map_leaf(mm, start, Level::Pud, head, true);
            let world = World::new(boot);
            let from = start + u64::from(first) * PAGE_SIZE;
            let gup = pin_user_pages_fast_only(&world.cpu(), mm, from, count, Foll::WRITE);
            let expected: Vec<_> = (0..count as u32).map(|n| head.plus(first + n)).collect();
            assert_eq!(got(&gup), expected, "{profile}");
            audit(&world, &[Held::Pins(head, count)]);
        }
    }
}

// PARITY: 7
#[test]
fn read_only_entries_are_for_readers() {
    let read_only = |entry: Entry| entry.without(Bits::WRITE);
    assert_eq!(pte_with(Foll::WRITE, read_only), 0);
    assert_eq!(pte_with(Foll::WRITE | Foll::FORCE, read_only), 0);
    assert_eq!(pte_with(Foll::empty(), read_only), 1);
}

// PARITY: 7
#[test]
fn entries_that_nobody_may_follow_are_left_alone() {
    for flags in [Foll::empty(), Foll::WRITE, Foll::FORCE] {
        assert_eq!(pte_with(flags, Boot::prot_none), 0);
        assert_eq!(pte_with(flags, |entry| entry.with(Bits::SPECIAL)), 0);
        assert_eq!(pte_with(flags, |entry| entry.with(Bits::DEVMAP)), 0);
        assert_eq!(pte_with(flags, |entry| entry.migration(true)), 0);
        let swapped = |entry: Entry| Entry::new(entry.pfn(), Bits::SWAP);
        assert_eq!(pte_with(flags, swapped), 0);
        assert_eq!(pte_with(flags, |entry| entry.without(Bits::USER)), 0);
    }
}

#[test]
fn huge_entries_that_nobody_may_follow_are_left_alone() {
    let spoil: [fn(Entry) -> Entry; 5] = [
        Boot::prot_none,
        Entry::invalid,
        |entry| entry.with(Bits::DEVMAP),
        |entry| entry.migration(true),
        |entry| entry.without(Bits::WRITE),
    ];
    for spoil in spoil {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(4);
        let head = boot.thp(Owner::Us, 0);
        boot.map_huge(area.mm, area.start, head, true);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let entry = boot.layout().get(slot);
        boot.layout().set(slot, spoil(entry));
        let world = World::new(boot);
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&gup), []);
        assert_eq!((world.refs(head), world.pins(head)), (1, 0));
    }
}

// PARITY: 45
#[test]
fn a_folio_without_references_is_not_resurrected() {
    let refs = |count| {
        move |boot: &mut Boot, _: Area, pfn: Pfn| {
            let cell = boot.page(pfn).refcount;
            boot.layout().set(cell, count);
        }
    };
    assert_eq!(pin_one(Foll::WRITE, refs(0)), 0);
    assert_eq!(pin_one(Foll::WRITE, refs(-5)), 0);
    assert_eq!(pin_one(Foll::WRITE, refs(1)), 1);
}

// PARITY: 45
#[test]
fn without_the_guard_a_wrapped_count_takes_more() {
    let mut boot = boot_without(&X86_NATIVE, &[Step::RefcountGuard]);
    let (area, pages) = populated(&mut boot, 1);
    let cell = boot.page(pages[0]).refcount;
    boot.layout().set(cell, -5);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(got(&gup).len(), 1);
    assert_eq!(world.refs(pages[0]), -4);
}

// PARITY: 43
#[test]
fn peer_to_peer_memory_is_for_those_who_ask() {
    let p2p = |boot: &mut Boot, _: Area, pfn: Pfn| {
        boot.set_memory(
            pfn,
            Memory {
                p2pdma: true,
                ..Memory::default()
            },
        );
    };
    assert_eq!(pin_one(Foll::WRITE, p2p), 0);
    assert_eq!(pin_one(Foll::WRITE | Foll::PCI_P2PDMA, p2p), 1);
}

// PARITY: 42
#[test]
fn memory_that_must_stay_movable_is_not_held_for_long() {
    let movable = |boot: &mut Boot, _: Area, pfn: Pfn| {
        boot.set_memory(
            pfn,
            Memory {
                zone_movable: true,
                ..Memory::default()
            },
        );
    };
    assert_eq!(pin_one(Foll::WRITE | Foll::LONGTERM, movable), 0);
    assert_eq!(pin_one(Foll::WRITE, movable), 1);
}

/// What the block is kept for may change, and the zero page's zone does not matter, but its block does.
// PARITY: 42
#[test]
fn a_block_that_is_not_ordinary_is_not_held_for_long() {
    for (kind, allowed) in [
        (Migratetype::Movable, 1),
        (Migratetype::Cma, 0),
        (Migratetype::Isolate, 0),
    ] {
        let block = |boot: &mut Boot, _: Area, pfn: Pfn| {
            boot.pageblock(&[pfn], kind);
        };
        let long = Foll::WRITE | Foll::LONGTERM;
        assert_eq!(pin_one(long, block), allowed, "{kind:?}");
        assert_eq!(pin_one(Foll::WRITE, block), 1, "{kind:?}");
    }
}

#[test]
fn a_block_is_asked_at_every_pin() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let block = boot.pageblock(&pages, Migratetype::Movable);
    let world = World::new(boot);
    let mut taken = 0;
    for (kind, more) in [
        (Migratetype::Movable, 1),
        (Migratetype::Isolate, 0),
        (Migratetype::Movable, 1),
    ] {
        world.set(block, kind);
        let flags = Foll::WRITE | Foll::LONGTERM;
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, flags);
        assert_eq!(got(&gup).len(), more, "{kind:?}");
        taken += more as i32;
        audit(&world, &[Held::Pins(pages[0], taken)]);
    }
}

/// The error of a page that cannot be made accessible is taken for "go on" by the level above, as in v6.6: the pages behind
/// its table come where its own should be (against I10).
// PARITY: 7, 50
#[test]
fn an_inaccessible_page_ends_its_table_but_not_the_walk() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 8);
    let memory = boot.page(pages[2]).memory;
    let inaccessible = true;
    boot.set_memory(
        pages[2],
        Memory {
            inaccessible,
            ..memory
        },
    );
    let world = World::new(boot);
    let expected = [0, 1, 4, 5, 6, 7].map(|n| pages[n]);
    assert_eq!(pin(&world, area, area.start, 8, Foll::WRITE), expected);
}

// PARITY: 50
#[test]
fn only_pins_make_a_page_accessible() {
    let inaccessible = |boot: &mut Boot, _: Area, pfn: Pfn| {
        let memory = boot.page(pfn).memory;
        let inaccessible = true;
        boot.set_memory(
            pfn,
            Memory {
                inaccessible,
                ..memory
            },
        );
    };
    assert_eq!(pin_one(Foll::WRITE, inaccessible), 0);
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    inaccessible(&mut boot, area, pages[0]);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(got(&gup), pages);
}

#[test]
fn a_read_only_pin_wants_an_exclusive_page() {
    let shared = |boot: &mut Boot, area: Area, pfn: Pfn| {
        boot.change_pte(area.mm, area.start, |entry| entry.without(Bits::WRITE));
        set_flag(boot, pfn, PageFlags::ANON_EXCLUSIVE, false);
    };
    assert_eq!(pin_one(Foll::empty(), shared), 0);
    // Nothing is asked of a file's page, but for how long.
    let of_a_file = |boot: &mut Boot, area: Area, pfn: Pfn| {
        shared(boot, area, pfn);
        mapped_as(Mapping::File)(boot, area, pfn);
    };
    assert_eq!(pin_one(Foll::empty(), of_a_file), 1);
    assert_eq!(pin_one(Foll::LONGTERM, of_a_file), 0);
}

#[test]
fn a_plain_reference_asks_nothing_about_exclusivity() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, |entry| entry.without(Bits::WRITE));
    set_flag(&mut boot, pages[0], PageFlags::ANON_EXCLUSIVE, false);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::empty());
    assert_eq!(got(&gup), pages);
}

#[test]
fn a_fork_under_way_keeps_pins_out_but_not_references() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let sequence = boot.mm(area.mm).write_protect_seq;
    boot.layout().set(sequence, 3);
    let world = World::new(boot);
    assert_eq!(pin(&world, area, area.start, 1, Foll::WRITE), []);
    assert!(!world.entered("gup_pgd_range"));
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(got(&gup), pages);
}
