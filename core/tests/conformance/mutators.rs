//! The mutators but khugepaged, each alone: what they return, and that every count survives them.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated, set_flag};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{COMPOUND_MAPPED, Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{Errno, Foll, pin_user_pages_fast_only, unpin_user_pages};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::mutators::{madvise_dontneed, migrate_page, munmap, split_huge_page};
use gupcheck_core::pgtable::{Bits, Entry, EntryPtr, Level, PAGE_SIZE, find_entry};

pub(crate) fn entry(world: &World, area: Area, addr: u64, level: Level) -> Option<Entry> {
    let cpu = world.cpu();
    find_entry(&cpu, world.machine.mm(area.mm), addr, level).map(|ptr| ptr.get(&cpu))
}

/// A huge page mapped by a pmd, with a table deposited for it.
pub(crate) fn huge(boot: &mut Boot, refs: i32) -> (Area, Pfn, Pfn) {
    let area = boot.anon_area(4);
    let head = boot.thp(Owner::Us, refs);
    boot.map_huge(area.mm, area.start, head, true);
    let table = boot.deposit(area.mm, area.start, Entry::NONE);
    (area, head, table)
}

#[test]
fn dontneed_drops_the_pages_and_keeps_the_tables() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 4);
        let world = World::new(boot);
        let (from, to) = (area.start + PAGE_SIZE, area.end - PAGE_SIZE);
        madvise_dontneed(&world.cpu(), area.mm, from, to);
        let free: Vec<_> = pages.iter().map(|&pfn| world.is_free(pfn)).collect();
        assert_eq!(free, [false, true, true, false]);
        assert_eq!(entry(&world, area, from, Level::Pte), Some(Entry::NONE));
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_is_pinned_outlives_its_mapping() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    madvise_dontneed(&cpu, area.mm, area.start, area.end);
    audit(&world, &[Held::Pins(pages[0], 1)]);
    unpin_user_pages(&cpu, &gup.pages);
    assert!(world.is_free(pages[0]));
    audit(&world, &[]);
}

#[test]
fn dontneed_of_a_whole_huge_page_frees_it_and_its_table() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, table) = huge(&mut boot, 0);
        let world = World::new(boot);
        madvise_dontneed(&world.cpu(), area.mm, area.start, area.end);
        assert!((0..4).all(|n| world.is_free(head.plus(n))) && world.is_free(table));
        audit(&world, &[]);
    }
}

#[test]
fn dontneed_of_part_of_a_huge_page_splits_the_pmd_first() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, table) = huge(&mut boot, 0);
        let world = World::new(boot);
        let end = area.start + PAGE_SIZE;
        madvise_dontneed(&world.cpu(), area.mm, area.start, end);
        assert_eq!(
            entry(&world, area, end, Level::Pmd),
            Some(Entry::table(table))
        );
        assert_eq!(
            entry(&world, area, end, Level::Pte),
            Some(Entry::leaf(head.plus(1), true))
        );
        assert_eq!((world.refs(head), world.is_free(head)), (3, false));
        audit(&world, &[]);
    }
}

#[test]
fn the_zero_page_survives_being_unmapped() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let zero = boot.zero_page();
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pte);
    boot.layout()
        .set(slot, Entry::leaf(zero, false).with(Bits::SPECIAL));
    let world = World::new(boot);
    let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
    assert!(
        ops.contains(&"wait irqs off".to_owned()),
        "the TLB is flushed"
    );
    audit(&world, &[]);
}

/// Tables go depth first: all that is below one of them before itself, and that before the next one beside it.
#[test]
fn munmap_unlinks_a_table_after_all_that_is_below_it() {
    let mut boot = Boot::new(gupcheck_core::step::Kernel::new(&X86_NATIVE), 2, 1);
    // Two pages a table, and two tables under the next: the area begins and ends in the middle of one of these.
    let (area, _) = populated(&mut boot, 8);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        assert!(munmap(cpu, area.mm, area.vma));
    });
    let unlinked: Vec<_> = (ops.iter())
        .filter_map(|op| op.strip_prefix("store.Relaxed mm0."))
        .filter_map(|slot| slot.split_once('['))
        .map(|(level, _)| level)
        .filter(|level| ["pmd", "pud"].contains(level))
        .collect();
    assert_eq!(unlinked, ["pmd", "pud", "pmd", "pmd", "pud", "pmd", "pud"]);
    audit(&world, &[]);
}

#[test]
fn munmap_frees_what_no_neighbour_reaches_into() {
    for profile in Profile::ALL {
        for distance in [Level::Pmd, Level::Pud, Level::Pgd] {
            let mut boot = Boot::new(gupcheck_core::step::Kernel::new(profile), 2, 1);
            let span = boot.geometry().span(distance);
            let (area, pages) = populated(&mut boot, 1);
            // A neighbour in the same table of this level, but in no lower one.
            let beside = if distance == Level::Pmd {
                area.start + PAGE_SIZE
            } else {
                area.start ^ span
            };
            boot.mmap(area.mm, beside, 1, VmFlags::PRIVATE, Backing::Anon);
            let page = boot.anon_page(Owner::Us, 0);
            boot.map(area.mm, beside, page, true);
            let world = World::new(boot);
            assert!(munmap(&world.cpu(), area.mm, area.vma));
            assert!(world.is_free(pages[0]));
            let beside_is_there = entry(&world, area, beside, Level::Pte);
            assert_eq!(
                beside_is_there,
                Some(Entry::leaf(page, true)),
                "{profile} {distance:?}"
            );
            let pmd = entry(&world, area, area.start, Level::Pmd).unwrap_or(Entry::NONE);
            assert_eq!(
                pmd.is_none(),
                distance != Level::Pmd,
                "{profile} {distance:?}"
            );
            audit(&world, &[]);
            assert!(!munmap(&world.cpu(), area.mm, area.vma), "it is gone");
        }
    }
}

#[test]
fn munmap_of_the_only_area_leaves_the_root_alone() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, _) = populated(&mut boot, 4);
        let pgd = boot.mm(area.mm).pgd;
        let frames = boot.page(pgd).table.entries.len();
        let world = World::new(boot);
        munmap(&world.cpu(), area.mm, area.vma);
        let taken: Vec<_> = world
            .machine
            .pages()
            .iter()
            .filter(|p| !world.is_free(p.pfn))
            .collect();
        assert_eq!((taken.len(), taken[0].pfn), (1, pgd));
        let slots = &world.machine.page(pgd).table.entries;
        assert_eq!(
            slots
                .iter()
                .filter(|&&slot| world.get(slot).is_none())
                .count(),
            frames
        );
        audit(&world, &[]);
    }
}

#[test]
fn pages_are_dropped_before_tables_are_waited_for() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 1);
        let world = World::new(boot);
        let ops = world.ops(|cpu| munmap(cpu, area.mm, area.vma));
        let drop = format!("sub.Full {}.refcount", pages[0]);
        let dropped = ops
            .iter()
            .position(|op| *op == drop)
            .expect("the page is dropped");
        let waits = ops.iter().filter(|op| *op == "wait rcu").count();
        let by_rcu = profile.table_free == gupcheck_core::arch::TableFree::AfterGracePeriod;
        assert_eq!(
            waits,
            usize::from(by_rcu),
            "one grace period for all tables"
        );
        let waited = ops.iter().position(|op| op == "wait rcu");
        assert!(waited.is_none_or(|waited| dropped < waited), "{profile}");
    }
}

#[test]
fn a_huge_page_is_split_into_small_ones_that_stay_mapped() {
    for profile in Profile::ALL {
        for by_pmd in [true, false] {
            let mut boot = boot(profile);
            let (area, head) = if by_pmd {
                let (area, head, _) = huge(&mut boot, 1);
                (area, head)
            } else {
                by_ptes(&mut boot, 1)
            };
            let world = World::new(boot);
            assert_eq!(split_huge_page(&world.cpu(), head), Ok(()));
            for n in 0..4 {
                let page = head.plus(n);
                let addr = area.start + u64::from(n) * PAGE_SIZE;
                assert_eq!(
                    entry(&world, area, addr, Level::Pte),
                    Some(Entry::leaf(page, true))
                );
                let flags = PageFlags::LRU | PageFlags::ANON_EXCLUSIVE;
                assert_eq!(world.flags(page), flags, "{page}");
                assert_eq!(world.get(world.machine.page(page).mapping), Mapping::Anon);
                assert_eq!(world.get(world.machine.page(page).compound_head).0, None);
            }
            audit(&world, &[Held::Refs(head, 1)]);
        }
    }
}

pub(crate) fn by_ptes(boot: &mut Boot, refs: i32) -> (Area, Pfn) {
    let area = boot.anon_area(4);
    let head = boot.thp(Owner::Us, refs);
    for n in 0..4 {
        boot.map(
            area.mm,
            area.start + u64::from(n) * PAGE_SIZE,
            head.plus(n),
            true,
        );
    }
    (area, head)
}

#[test]
fn an_extra_reference_or_pin_keeps_a_folio_whole() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 2);
        let world = World::new(boot);
        let split = split_huge_page(&world.cpu(), head);
        assert_eq!(split, Err(Errno::Eagain));
        assert!(!world.entered("unmap_folio"), "the first look is enough");
        let pmd = entry(&world, area, area.start, Level::Pmd);
        assert_eq!(pmd, Some(Entry::leaf(head, true).huge()));
        audit(&world, &[Held::Refs(head, 2)]);
    }
}

#[test]
fn a_split_that_fails_late_puts_everything_back() {
    for by_pmd in [true, false] {
        let mut boot = boot(&X86_NATIVE);
        let (area, head) = if by_pmd {
            let (area, head, _) = huge(&mut boot, 2);
            (area, head)
        } else {
            by_ptes(&mut boot, 2)
        };
        // A map count that is off by one gets the split past its first look.
        let count = if by_pmd {
            boot.page(head).entire_mapcount
        } else {
            boot.page(head.plus(3)).mapcount
        };
        let real = boot.layout().get(count);
        boot.layout().set(count, real + 1);
        let world = World::new(boot);
        let split = split_huge_page(&world.cpu(), head);
        assert_eq!(split, Err(Errno::Eagain));
        assert!(world.entered("unmap_folio") && world.entered("remap_page"));
        world.set(count, world.get(count) - 1);
        if by_pmd {
            // To that count one mapping of the whole was left.
            let mapped = world.machine.page(head).nr_pages_mapped;
            world.set(mapped, world.get(mapped) - COMPOUND_MAPPED);
        }
        for n in 0..4 {
            let addr = area.start + u64::from(n) * PAGE_SIZE;
            let pte = entry(&world, area, addr, Level::Pte);
            assert_eq!(pte, Some(Entry::leaf(head.plus(n), true)));
            assert!(
                world
                    .flags(head.plus(n))
                    .contains(PageFlags::ANON_EXCLUSIVE)
            );
        }
        audit(&world, &[Held::Refs(head, 2)]);
    }
}

#[test]
fn a_locked_folio_is_not_split() {
    let mut boot = boot(&X86_NATIVE);
    let (_, head, _) = huge(&mut boot, 1);
    set_flag(&mut boot, head, PageFlags::LOCKED, true);
    let world = World::new(boot);
    let split = split_huge_page(&world.cpu(), head);
    assert_eq!(split, Err(Errno::Ebusy));
    world.set(
        world.machine.page(head).flags,
        world.flags(head) - PageFlags::LOCKED,
    );
    audit(&world, &[Held::Refs(head, 1)]);
}

#[test]
fn a_page_moves_to_another_frame_and_stays_mapped() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 1);
        let target = boot.free_block(0);
        let world = World::new(boot);
        let moved = migrate_page(&world.cpu(), pages[0]);
        assert_eq!(moved.map(|folio| folio.head().pfn), Some(target));
        let pte = entry(&world, area, area.start, Level::Pte);
        assert_eq!(pte, Some(Entry::leaf(target, true)));
        let flags = PageFlags::LRU | PageFlags::ANON_EXCLUSIVE;
        assert_eq!(world.flags(target), flags);
        assert!(world.is_free(pages[0]));
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_somebody_holds_does_not_move() {
    for pinned in [true, false] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 1);
        let refs = boot.page(pages[0]).refcount;
        boot.layout().set(refs, if pinned { 1025 } else { 2 });
        boot.free_block(0);
        let world = World::new(boot);
        assert!(migrate_page(&world.cpu(), pages[0]).is_none());
        let pte = entry(&world, area, area.start, Level::Pte);
        assert_eq!(pte, Some(Entry::leaf(pages[0], true)));
        assert!(world.flags(pages[0]).contains(PageFlags::ANON_EXCLUSIVE));
        let held = if pinned {
            Held::Pins(pages[0], 1)
        } else {
            Held::Refs(pages[0], 1)
        };
        audit(&world, &[held]);
    }
}

#[test]
fn a_page_in_the_swap_cache_takes_its_place_there_along() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 1);
        boot.add_to_swap_cache(pages[0]);
        let target = boot.free_block(0);
        let world = World::new(boot);
        assert!(migrate_page(&world.cpu(), pages[0]).is_some());
        let pte = entry(&world, area, area.start, Level::Pte);
        assert_eq!(pte, Some(Entry::leaf(target, true)));
        assert!(world.flags(target).contains(PageFlags::SWAP_CACHE));
        assert!(world.is_free(pages[0]));
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_is_not_on_the_lru_or_free_is_not_migrated() {
    let mut boot = boot(&X86_NATIVE);
    let (_, pages) = populated(&mut boot, 1);
    set_flag(&mut boot, pages[0], PageFlags::LRU, false);
    let free = boot.free_block(0);
    let world = World::new(boot);
    assert!(migrate_page(&world.cpu(), pages[0]).is_none());
    assert!(migrate_page(&world.cpu(), free).is_none());
    audit(&world, &[]);
}

#[test]
fn a_page_that_is_mapped_where_another_one_was_stays_as_it_is() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let other = boot.anon_page(Owner::Us, 0);
    // The first page still says that it is mapped there.
    boot.map(area.mm, area.start, other, true);
    boot.free_block(0);
    let world = World::new(boot);
    assert!(migrate_page(&world.cpu(), pages[0]).is_none());
    let pte = entry(&world, area, area.start, Level::Pte);
    assert_eq!(pte, Some(Entry::leaf(other, true)));
    assert_eq!((world.refs(other), world.refs(pages[0])), (1, 1));
    assert!(world.flags(pages[0]).contains(PageFlags::LRU));
}

#[test]
fn a_split_leaves_another_huge_page_alone() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 1);
        let other = boot.thp(Owner::Us, 0);
        boot.map_huge(area.mm, area.start, other, true);
        let world = World::new(boot);
        assert_eq!(split_huge_page(&world.cpu(), head), Err(Errno::Eagain));
        let pmd = entry(&world, area, area.start, Level::Pmd);
        assert_eq!(pmd, Some(Entry::leaf(other, true).huge()), "{profile}");
        assert!(world.flags(other).contains(PageFlags::ANON_EXCLUSIVE));
    }
}

#[test]
fn a_folio_that_is_mapped_nowhere_is_not_split() {
    let mut boot = boot(&X86_NATIVE);
    let (area, head, _) = huge(&mut boot, 1);
    let world = World::new(boot);
    madvise_dontneed(&world.cpu(), area.mm, area.start, area.end);
    assert_eq!(split_huge_page(&world.cpu(), head), Err(Errno::Ebusy));
    audit(&world, &[Held::Refs(head, 1)]);
}

#[test]
#[should_panic(expected = "an anonymous page is writable and not exclusive")]
fn a_writable_page_that_is_not_exclusive_is_a_bug_when_it_is_unmapped() {
    let mut boot = boot(&X86_NATIVE);
    let (_, pages) = populated(&mut boot, 1);
    set_flag(&mut boot, pages[0], PageFlags::ANON_EXCLUSIVE, false);
    boot.free_block(0);
    let world = World::new(boot);
    migrate_page(&world.cpu(), pages[0]);
}

#[test]
#[should_panic(expected = "a table that was deposited has entries")]
fn a_deposited_table_with_entries_is_a_bug_when_it_is_filled() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::leaf(head, true));
    let world = World::new(boot);
    let end = area.start + PAGE_SIZE;
    madvise_dontneed(&world.cpu(), area.mm, area.start, end);
}

#[test]
#[should_panic(expected = "use after free")]
fn the_lock_of_a_table_dies_with_the_table() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let world = World::new(boot);
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    let lock = find_entry(&cpu, mm, area.start, Level::Pte).map(EntryPtr::lock);
    munmap(&cpu, area.mm, area.vma);
    lock.expect("the page is mapped").lock(&cpu);
}

/// A page that is on no list of pages is left alone without a reference of it.
#[test]
fn isolation_asks_whether_a_page_is_on_the_lru_before_it_takes_a_reference() {
    for on_lru in [true, false] {
        let mut boot = boot(&X86_NATIVE);
        let (_, pages) = populated(&mut boot, 1);
        set_flag(&mut boot, pages[0], PageFlags::LRU, on_lru);
        boot.free_block(0);
        let world = World::new(boot);
        let ops = world.ops(|cpu| {
            assert_eq!(migrate_page(cpu, pages[0]).is_some(), on_lru);
        });
        let look = format!("load.Relaxed page{}.flags", pages[0].0);
        assert_eq!(ops[0], look);
        let taken = ops.iter().any(|op| op.starts_with("add_unless"));
        assert_eq!(taken, on_lru);
    }
}
