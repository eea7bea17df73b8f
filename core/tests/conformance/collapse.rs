//! khugepaged alone: what it collapses, what it refuses and why, and what a refusal puts back.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, populated, set_flag};
use crate::mutators::{by_ptes, entry, huge};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Owner, PageFlags, Pfn};
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::{Scan, collapse_huge_page, munmap};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

#[test]
fn small_pages_are_collapsed_into_a_huge_one() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 4);
        let table = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let table = boot.layout().get(table).pfn();
        let block = boot.free_block(2);
        let world = World::new(boot);
        assert_eq!(
            collapse_huge_page(&world.cpu(), area.mm, area.start),
            Scan::Succeed
        );
        assert!(pages.iter().all(|&pfn| world.is_free(pfn)));
        let pmd = entry(&world, area, area.start, Level::Pmd);
        assert_eq!(pmd, Some(Entry::leaf(block, true).huge()));
        assert_eq!(
            world.plain(world.machine.mm(area.mm).deposited[0]).0,
            Some(table)
        );
        let slots = &world.machine.page(table).table.entries;
        assert!(slots.iter().all(|&slot| world.get(slot).is_none()));
        audit(&world, &[]);
        let again = collapse_huge_page(&world.cpu(), area.mm, area.start);
        assert_eq!(again, Scan::AllocHugePageFail);
    }
}

#[test]
fn holes_and_zero_pages_are_filled_by_a_collapse() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let zero = boot.zero_page();
    let page = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.start, page, true);
    let slot = boot.tables_down_to(area.mm, area.start + PAGE_SIZE, Level::Pte);
    boot.layout()
        .set(slot, Entry::leaf(zero, false).with(Bits::SPECIAL));
    boot.free_block(2);
    let world = World::new(boot);
    assert_eq!(
        collapse_huge_page(&world.cpu(), area.mm, area.start),
        Scan::Succeed
    );
    assert!(world.get(slot).is_none(), "the deposited table is empty");
    audit(&world, &[]);
}

/// What `spoil` makes of a collapse; everything must be as before, with `held` beside it.
fn refused(spoil: impl Fn(&mut Boot, Area, &[Pfn]) -> Vec<Held>) -> Scan {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 4);
    let held = spoil(&mut boot, area, &pages);
    let block = boot.free_block(2);
    let world = World::new(boot);
    let slots: Vec<_> = (0..4).map(|n| world.machine.page(pages[n]).flags).collect();
    let before: Vec<_> = slots.iter().map(|&flags| world.get(flags)).collect();
    let scan = collapse_huge_page(&world.cpu(), area.mm, area.start);
    let after: Vec<_> = slots.iter().map(|&flags| world.get(flags)).collect();
    assert_eq!(before, after, "flags of the small pages");
    assert!(world.is_free(block), "the huge page goes back");
    audit(&world, &held);
    scan
}

#[test]
fn a_collapse_is_refused_for_the_kernels_reasons() {
    let at = |n: u64| move |area: Area| area.start + n * PAGE_SIZE;
    let last = at(3);
    assert_eq!(
        refused(|boot, _, pages| {
            let cell = boot.page(pages[3]).refcount;
            boot.layout().set(cell, 2);
            vec![Held::Refs(pages[3], 1)]
        }),
        Scan::PageCount
    );
    assert_eq!(
        refused(|boot, _, pages| {
            set_flag(boot, pages[3], PageFlags::LRU, false);
            vec![]
        }),
        Scan::DelPageLru
    );
    assert_eq!(
        refused(|boot, area, _| {
            for n in 0..4 {
                boot.change_pte(area.mm, at(n)(area), |pte| pte.without(Bits::WRITE));
            }
            vec![]
        }),
        Scan::PageRo
    );
    assert_eq!(
        refused(|boot, area, pages| {
            let count = boot.page(pages[3]).mapcount;
            boot.layout().set(count, 0);
            boot.change_pte(area.mm, last(area), |pte| pte.migration(true));
            vec![Held::Refs(pages[3], 1)]
        }),
        Scan::PteNonPresent
    );
    assert_eq!(
        refused(|boot, area, pages| {
            let count = boot.page(pages[3]).mapcount;
            boot.layout().set(count, 0);
            boot.change_pte(area.mm, last(area), |pte| pte.with(Bits::SPECIAL));
            vec![Held::Refs(pages[3], 1)]
        }),
        Scan::PageNull
    );
}

#[test]
fn a_locked_page_is_not_collapsed() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 4);
    set_flag(&mut boot, pages[2], PageFlags::LOCKED, true);
    boot.free_block(2);
    let world = World::new(boot);
    assert_eq!(
        collapse_huge_page(&world.cpu(), area.mm, area.start),
        Scan::PageLock
    );
    world.set(world.machine.page(pages[2]).flags, world.flags(pages[0]));
    audit(&world, &[]);
}

#[test]
fn a_large_folio_is_not_collapsed() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = by_ptes(&mut boot, 0);
    boot.free_block(2);
    let world = World::new(boot);
    assert_eq!(
        collapse_huge_page(&world.cpu(), area.mm, area.start),
        Scan::PageCompound
    );
    audit(&world, &[]);
}

#[test]
fn a_collapse_without_anything_to_collapse() {
    let collapse = |boot: Boot, area: Area| {
        let world = World::new(boot);
        let scan = collapse_huge_page(&world.cpu(), area.mm, area.start);
        audit(&world, &[]);
        scan
    };
    let mut none = boot(&X86_NATIVE);
    let area = none.anon_area(4);
    none.free_block(2);
    assert_eq!(collapse(none, area), Scan::PmdNone);
    let mut short = boot(&X86_NATIVE);
    let (area, _) = populated(&mut short, 3);
    short.free_block(2);
    assert_eq!(collapse(short, area), Scan::AddressRange);
    let mut mapped = boot(&X86_NATIVE);
    let (area, ..) = huge(&mut mapped, 0);
    mapped.free_block(2);
    assert_eq!(collapse(mapped, area), Scan::PmdMapped);
    let mut gone = boot(&X86_NATIVE);
    let (area, _) = populated(&mut gone, 4);
    gone.free_block(2);
    let world = World::new(gone);
    munmap(&world.cpu(), area.mm, area.vma);
    assert_eq!(
        collapse_huge_page(&world.cpu(), area.mm, area.start),
        Scan::VmaNull
    );
    audit(&world, &[]);
    let mut behind = boot(&X86_NATIVE);
    let (area, _) = populated(&mut behind, 4);
    behind.free_block(2);
    let world = World::new(behind);
    let before = area.start - world.machine.geometry.span(Level::Pmd);
    let scan = collapse_huge_page(&world.cpu(), area.mm, before);
    assert_eq!(scan, Scan::AddressRange, "the next area is looked at");
    let mut device = boot(&X86_NATIVE);
    let area = device.anon_area(4);
    let first = device.device_memory(4);
    device.map_device_leaf(area.mm, area.start, Level::Pmd, first, true);
    device.free_block(2);
    assert_eq!(collapse(device, area), Scan::PmdNull);
}

/// The swap cache has a reference of its own, which is no reason to refuse; a reference in its place is one.
#[test]
fn a_page_in_the_swap_cache_is_collapsed() {
    for cached in [true, false] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 4);
        if cached {
            boot.add_to_swap_cache(pages[1]);
        } else {
            let refcount = boot.page(pages[1]).refcount;
            boot.layout().set(refcount, 2);
        }
        boot.free_block(2);
        let world = World::new(boot);
        let scan = collapse_huge_page(&world.cpu(), area.mm, area.start);
        let expected = if cached {
            Scan::Succeed
        } else {
            Scan::PageCount
        };
        assert_eq!(scan, expected);
        // Nobody else has the page: the cache gives it up, and it is free.
        assert_eq!(world.refs(pages[1]), if cached { 0 } else { 2 });
        assert_eq!(world.is_free(pages[1]), cached);
        let held = [Held::Refs(pages[1], 1)];
        audit(&world, if cached { &[] } else { &held });
    }
}

#[test]
fn a_refused_collapse_gives_its_pages_back_from_the_last_one_down() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 4);
    let held = boot.page(pages[3]).refcount;
    boot.layout().set(held, 2);
    boot.free_block(2);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        assert_eq!(scan, Scan::PageCount);
    });
    // Back on the LRU.
    let expected = [2, 1, 0].map(|n: usize| format!("or.Relaxed page{}.flags", pages[n].0));
    let back: Vec<_> = ops.iter().filter(|op| expected.contains(op)).collect();
    assert_eq!(back, expected.iter().collect::<Vec<_>>());
}

#[test]
fn a_walker_finds_the_huge_page_after_a_collapse() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 4);
    let block = boot.free_block(2);
    let world = World::new(boot);
    let cpu = world.cpu();
    collapse_huge_page(&cpu, area.mm, area.start);
    let gup = pin_user_pages_fast_only(&cpu, area.mm, area.start, 4, Foll::WRITE);
    assert_eq!(got(&gup), [0, 1, 2, 3].map(|n| block.plus(n)));
    audit(&world, &[Held::Pins(block, 4)]);
}

/// khugepaged has limits, and looks whether a page was used; `MADV_COLLAPSE` does neither. All pages are given back.
#[test]
fn khugepaged_keeps_within_its_limits() {
    type SetUp = fn(&mut Boot) -> (Area, Vec<Pfn>);
    let all: SetUp = |boot| populated(boot, 4);
    let hole: SetUp = |boot| {
        let area = boot.anon_area(4);
        let page = |n: u64| {
            let pfn = boot.anon_page(Owner::Us, 0);
            boot.map(area.mm, area.start + n * PAGE_SIZE, pfn, true);
            pfn
        };
        (area, (1..4).map(page).collect())
    };
    let shared: SetUp = |boot| {
        let (area, pages) = populated(boot, 4);
        let other = boot.anon_area(1);
        boot.map(other.mm, other.start, pages[0], false);
        boot.share(area, pages[0]);
        boot.change_pte(area.mm, area.start, |pte| pte.without(Bits::WRITE));
        (area, pages)
    };
    let old: SetUp = |boot| {
        let (area, pages) = populated(boot, 4);
        for n in 0..4 {
            boot.change_pte(area.mm, area.start + n * PAGE_SIZE, |pte| {
                pte.without(Bits::ACCESSED)
            });
        }
        (area, pages)
    };
    let watched: SetUp = |boot| {
        let (area, pages) = populated(boot, 4);
        boot.change_pte(area.mm, area.start + PAGE_SIZE, |pte| {
            pte.with(Bits::UFFD_WP)
        });
        (area, pages)
    };
    for (set_up, limits, expected) in [
        (all, Some((0, 0)), Scan::Succeed),
        (hole, None, Scan::Succeed),
        (hole, Some((1, 0)), Scan::Succeed),
        (hole, Some((0, 0)), Scan::ExceedNonePte),
        (shared, None, Scan::Succeed),
        (shared, Some((0, 1)), Scan::Succeed),
        (shared, Some((0, 0)), Scan::ExceedSharedPte),
        (old, None, Scan::Succeed),
        (old, Some((0, 0)), Scan::LackReferencedPage),
        (watched, None, Scan::PteUffdWp),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = set_up(&mut boot);
        boot.free_block(2);
        if let Some((none, shared)) = limits {
            boot.khugepaged_limits(none, shared);
        }
        let world = World::new(boot);
        let scan = collapse_huge_page(&world.cpu(), area.mm, area.start);
        assert_eq!(scan, expected);
        let given_back = |&pfn: &Pfn| {
            let flags = world.flags(pfn);
            flags.contains(PageFlags::LRU) && !flags.contains(PageFlags::LOCKED)
        };
        assert!(
            scan == Scan::Succeed || pages.iter().all(given_back),
            "{scan:?}"
        );
        audit(&world, &[]);
    }
}
