//! Huge pages, each function alone: faulted in, migrated, partly unmapped, queued and split; and the huge zero page.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, got};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Deferred, Memory, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast, pin_user_pages_fast, put_page, unpin_user_pages,
};
use gupcheck_core::mm::{FaultFlags, VmFault, shrink_huge_zero_page_scan};
use gupcheck_core::mutators::{
    Scan, collapse_huge_page, deferred_split_scan, do_user_addr_fault, madvise_dontneed,
    migrate_huge_page, split_huge_page,
};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};
use gupcheck_core::step::Step;

/// An area that wants huge pages, with nothing in it.
fn hole(boot: &mut Boot) -> Area {
    let area = boot.anon_area(4);
    boot.wants_huge_pages(area);
    area
}

fn touch(world: &World, area: Area, addr: u64, flags: FaultFlags) -> VmFault {
    do_user_addr_fault(&world.cpu(), area.mm, addr, flags)
}

fn queued(world: &World, head: Pfn) -> bool {
    let cell = world.machine.page(head).deferred;
    let place = world.machine.split_queue.folios[0];
    assert_eq!(
        world.get(cell) == Deferred::Queued,
        world.plain(place).0 == Some(head)
    );
    world.get(cell) == Deferred::Queued
}

#[test]
fn a_write_brings_a_huge_page_and_deposits_a_table() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let area = hole(&mut boot);
        let head = boot.free_huge_block();
        boot.free_block(0);
        let world = World::new(boot);
        let addr = area.start + PAGE_SIZE;
        assert_eq!(touch(&world, area, addr, FaultFlags::WRITE), VmFault::Done);
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert!(pmd.is_huge() && pmd.is_writable() && pmd.pfn() == head);
        assert!(world.flags(head).contains(PageFlags::ANON_EXCLUSIVE));
        assert!(
            world
                .plain(world.machine.mm(area.mm).deposited[0])
                .0
                .is_some()
        );
        audit(&world, &[]);
    }
}

#[test]
fn without_a_huge_page_the_fault_goes_on_with_a_small_one_and_without_a_table_it_fails() {
    let mut boot = boot(&X86_NATIVE);
    let area = hole(&mut boot);
    boot.free_block(0);
    boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(
        touch(&world, area, area.start, FaultFlags::WRITE),
        VmFault::Done
    );
    let pte = entry(&world, area, area.start, Level::Pte);
    assert!(pte.is_some_and(Entry::is_writable));
    audit(&world, &[]);

    let mut boot = crate::common::boot(&X86_NATIVE);
    let area = hole(&mut boot);
    boot.free_huge_block();
    let world = World::new(boot);
    assert_eq!(
        touch(&world, area, area.start, FaultFlags::WRITE),
        VmFault::Oom
    );
    assert_eq!(
        entry(&world, area, area.start, Level::Pmd),
        Some(Entry::NONE)
    );
    audit(&world, &[]);
}

#[test]
fn an_area_that_does_not_hold_all_of_it_has_no_huge_page() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(3);
    boot.wants_huge_pages(area);
    boot.free_huge_block();
    boot.free_block(0);
    boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(
        touch(&world, area, area.start, FaultFlags::WRITE),
        VmFault::Done
    );
    assert!(entry(&world, area, area.start, Level::Pte).is_some());
    audit(&world, &[]);
}

/// A huge zero page that a read has mapped.
fn zero_mapped(profile: &'static Profile) -> (World, Area, Pfn) {
    let mut boot = boot(profile);
    let area = hole(&mut boot);
    boot.zero_page();
    boot.huge_zero_page(false);
    let head = boot.free_huge_block();
    boot.free_block(0);
    boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(
        touch(&world, area, area.start, FaultFlags::empty()),
        VmFault::Done
    );
    (world, area, head)
}

#[test]
fn a_read_maps_the_huge_zero_page_which_counts_no_mapping() {
    for profile in Profile::ALL {
        let (world, area, head) = zero_mapped(profile);
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert!(pmd.is_huge() && !pmd.is_writable() && pmd.pfn() == head);
        let zero = world.machine.huge_zero.as_ref().expect("it is modelled");
        assert_eq!(world.get(zero.refcount), 2, "the mm's, and the shrinker's");
        assert!(!shrink_huge_zero_page_scan(&world.cpu()), "it is in use");
        audit(&world, &[]);
        let cpu = world.cpu();
        let gup = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::empty());
        assert_eq!(got(&gup), [head]);
        audit(&world, &[Held::Refs(head, 1)]);
        put_page(&cpu, gup.pages[0]);
        madvise_dontneed(&cpu, area.mm, area.start, area.end);
        assert_eq!(
            entry(&world, area, area.start, Level::Pmd),
            Some(Entry::NONE)
        );
        audit(&world, &[]);
    }
}

#[test]
fn a_write_to_the_huge_zero_page_splits_the_pmd_and_copies_one_page() {
    for profile in Profile::ALL {
        let (world, area, _) = zero_mapped(profile);
        let addr = area.start + PAGE_SIZE;
        assert_eq!(touch(&world, area, addr, FaultFlags::WRITE), VmFault::Done);
        let small = world.machine.zero_page.expect("it is there");
        for n in 0..4 {
            let addr = area.start + n * PAGE_SIZE;
            let pte = entry(&world, area, addr, Level::Pte).expect("a table");
            assert_eq!(pte.is_writable(), n == 1);
            assert_eq!(pte.pfn() == small, n != 1);
        }
        audit(&world, &[]);
    }
}

/// The unshare fault ends, and does not bring the huge zero page back (I11).
#[test]
fn a_long_term_pin_of_the_huge_zero_page_unshares_one_page() {
    for profile in Profile::ALL {
        let (world, area, _) = zero_mapped(profile);
        let cpu = world.cpu();
        let gup = pin_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::LONGTERM);
        let page = got(&gup)[0];
        assert!(world.flags(page).contains(PageFlags::ANON_EXCLUSIVE));
        let pte = entry(&world, area, area.start, Level::Pte).expect("a table");
        assert!(pte.pfn() == page && !pte.is_writable());
        audit(&world, &[Held::Pins(page, 1)]);
        unpin_user_pages(&cpu, &gup.pages);
        audit(&world, &[]);
    }
}

#[test]
fn the_huge_zero_page_is_given_back_when_nobody_uses_it() {
    for without in [&[][..], &[Step::HugeZeroLock]] {
        let mut boot = boot_without(&X86_NATIVE, without);
        let area = hole(&mut boot);
        let old = boot.huge_zero_page(true).expect("it is made");
        boot.free_block(0);
        let world = World::new(boot);
        assert!(shrink_huge_zero_page_scan(&world.cpu()));
        assert!(!shrink_huge_zero_page_scan(&world.cpu()));
        assert!(world.is_free(old));
        audit(&world, &[]);
        // And made again of the same frames.
        assert_eq!(
            touch(&world, area, area.start, FaultFlags::empty()),
            VmFault::Done
        );
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert_eq!(pmd.pfn(), old);
        audit(&world, &[]);
    }
}

#[test]
fn a_huge_page_migrates_as_a_whole_unless_it_is_held() {
    for profile in Profile::ALL {
        for (refs, moves) in [(0, true), (1, false)] {
            let mut boot = boot(profile);
            let (area, old, _) = huge(&mut boot, refs);
            let new = boot.free_huge_block();
            let world = World::new(boot);
            let before = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
            let moved = migrate_huge_page(&world.cpu(), old).map(|folio| folio.head().pfn);
            assert_eq!(moved, moves.then_some(new));
            let now = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
            let page = if moves { new } else { old };
            assert_eq!(now, Entry::new(page, before.bits()));
            assert_eq!(world.is_free(old), moves);
            let flags = world.flags(page);
            assert!(flags.contains(PageFlags::ANON_EXCLUSIVE | PageFlags::LRU));
            assert!(!flags.contains(PageFlags::LOCKED));
            let held: &[_] = if refs > 0 { &[Held::Refs(old, 1)] } else { &[] };
            audit(&world, held);
        }
    }
}

#[test]
fn a_pinned_huge_page_keeps_its_pmd() {
    let mut boot = boot(&X86_NATIVE);
    let (area, old, _) = huge(&mut boot, 0);
    boot.free_huge_block();
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = pin_user_pages_fast(&cpu, area.mm, area.start, 2, Foll::WRITE);
    assert!(migrate_huge_page(&cpu, old).is_none());
    assert!(world.entered("set_pmd_migration_entry") && !world.entered("remove_migration_pmd"));
    audit(&world, &[Held::Pins(old, 2)]);
    unpin_user_pages(&cpu, &gup.pages);
    audit(&world, &[]);
}

#[test]
fn a_part_that_is_unmapped_queues_the_folio_until_it_is_split_or_freed() {
    for profile in Profile::ALL {
        for all in [false, true] {
            let mut boot = boot(profile);
            let (area, head, _) = huge(&mut boot, 0);
            let world = World::new(boot);
            let cpu = world.cpu();
            madvise_dontneed(&cpu, area.mm, area.start, area.start + PAGE_SIZE);
            assert!(queued(&world, head));
            assert!(!world.is_free(head), "the rest keeps all of it");
            audit(&world, &[]);
            if all {
                madvise_dontneed(&cpu, area.mm, area.start, area.end);
                assert!(world.is_free(head.plus(3)));
            } else {
                assert_eq!(deferred_split_scan(&cpu), 1);
                assert!(world.is_free(head) && !world.is_free(head.plus(3)));
            }
            assert!(!queued(&world, head));
            audit(&world, &[]);
        }
    }
}

#[test]
fn a_folio_that_cannot_be_split_goes_back_into_the_queue() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.partly_mapped_thp(area, 1..4);
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = pin_user_pages_fast(&cpu, area.mm, area.start + PAGE_SIZE, 1, Foll::WRITE);
    assert_eq!(deferred_split_scan(&cpu), 0);
    assert!(queued(&world, head));
    audit(&world, &[Held::Pins(head, 1)]);
    unpin_user_pages(&cpu, &gup.pages);
    assert_eq!(deferred_split_scan(&cpu), 1);
    assert!(!queued(&world, head));
    audit(&world, &[]);
}

/// Neither a split of the pmd nor the end of all its mappings unmaps a part.
#[test]
fn a_whole_folio_is_not_queued() {
    let mut boot = boot(&X86_NATIVE);
    let (area, head, _) = huge(&mut boot, 1);
    let world = World::new(boot);
    let cpu = world.cpu();
    assert_eq!(split_huge_page(&cpu, head), Ok(()));
    assert!(!queued(&world, head) && !world.entered("deferred_split_folio"));
    madvise_dontneed(&cpu, area.mm, area.start, area.end);
    assert!(!world.entered("deferred_split_folio"));
    audit(&world, &[Held::Refs(head, 1)]);
}

#[test]
fn a_write_brings_a_large_folio_where_all_of_its_range_is_empty() {
    for profile in Profile::ALL {
        for (first_taken, pages) in [(false, 2), (true, 1)] {
            let mut boot = boot(profile);
            let area = boot.anon_area(4);
            boot.wants_folios_of(area, 1);
            boot.tables_down_to(area.mm, area.start, Level::Pte);
            let head = boot.free_block(1);
            if first_taken {
                let page = boot.anon_page(gupcheck_core::folio::Owner::Us, 0);
                boot.map(area.mm, area.start, page, true);
            }
            boot.free_block(0);
            let world = World::new(boot);
            let addr = area.start + PAGE_SIZE;
            assert_eq!(touch(&world, area, addr, FaultFlags::WRITE), VmFault::Done);
            let pte = entry(&world, area, addr, Level::Pte).expect("a table");
            assert_eq!(pte == Entry::leaf(head.plus(1), true), pages == 2);
            let next = entry(&world, area, addr + PAGE_SIZE, Level::Pte);
            assert_eq!(next, Some(Entry::NONE));
            audit(&world, &[]);
        }
    }
}

#[test]
fn a_page_that_cannot_be_read_ends_the_collapse_and_everything_is_as_it_was() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let area = boot.anon_area(4);
        let pages = boot.populate(area);
        let poisoned = Memory {
            poisoned: true,
            ..Memory::default()
        };
        boot.set_memory(pages[2], poisoned);
        let huge = boot.free_huge_block();
        let world = World::new(boot);
        let scan = collapse_huge_page(&world.cpu(), area.mm, area.start);
        assert_eq!(scan, Scan::CopyMc);
        for (n, &page) in pages.iter().enumerate() {
            let addr = area.start + n as u64 * PAGE_SIZE;
            let pte = entry(&world, area, addr, Level::Pte);
            assert_eq!(pte, Some(Entry::leaf(page, true)));
            assert!(world.flags(page).contains(PageFlags::LRU));
            assert!(!world.flags(page).contains(PageFlags::LOCKED));
        }
        assert!(world.is_free(huge));
        audit(&world, &[]);
    }
}

/// A pmd migration entry that is zapped in part becomes one for each page first; that of the part goes.
#[test]
fn a_part_of_a_pmd_migration_entry_is_zapped() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 0);
        let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let mapping = boot.layout().get(pmd);
        let migration = mapping.migration(true);
        boot.layout().set(pmd, migration);
        crate::common::set_flag(&mut boot, head, PageFlags::LOCKED, true);
        let world = World::new(boot);
        madvise_dontneed(&world.cpu(), area.mm, area.start, area.start + PAGE_SIZE);
        for n in 0..4 {
            let addr = area.start + n * PAGE_SIZE;
            let pte = entry(&world, area, addr, Level::Pte).expect("a table");
            let due = Entry::new(head.plus(n as u32), migration.bits());
            assert_eq!(pte, if n == 0 { Entry::NONE } else { due });
        }
        assert!(world.no_locks_held());
    }
}
