//! `mremap`, alone: what is at either address afterwards.

use crate::books::audit;
use crate::common::{World, boot, got, populated};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{POWERPC, Profile, S390};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::gup::{Errno, Foll, get_user_pages_fast, get_user_pages_fast_only};
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{do_user_addr_fault, migrate_page, mremap};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};

fn destination(boot: &mut Boot, area: Area) -> Area {
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    boot.destination(area, elsewhere)
}

#[test]
fn a_whole_table_moves_with_what_is_in_it() {
    for profile in Profile::ALL
        .into_iter()
        .filter(|profile| profile.moves_tables)
    {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 4);
        let table = boot.table_of(area);
        let new = destination(&mut boot, area);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(mremap(&cpu, area, new), Ok(()));
        assert!(world.entered("move_normal_pmd") && !world.entered("move_ptes"));
        assert_eq!(
            entry(&world, new, new.start, Level::Pmd),
            Some(Entry::table(table))
        );
        let gup = get_user_pages_fast_only(&cpu, new.mm, new.start, 4, Foll::WRITE);
        assert_eq!(got(&gup), pages);
        let old = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(old.result, Err(Errno::Efault));
        for page in gup.pages {
            gupcheck_core::folio::folio_put(&cpu, gupcheck_core::folio::Folio::of(page));
        }
        audit(&world, &[]);
    }
}

/// s390 has never moved tables, and powerpc's hash MMU cannot.
#[test]
fn where_no_table_is_moved_pages_move_one_by_one() {
    for profile in [&S390, &POWERPC] {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 4);
        boot.free_block(0);
        let new = destination(&mut boot, area);
        let world = World::new(boot);
        assert_eq!(mremap(&world.cpu(), area, new), Ok(()));
        assert!(!world.entered("move_normal_pmd") && world.entered("move_ptes"));
        let first = entry(&world, new, new.start, Level::Pte);
        assert_eq!(first, Some(Entry::leaf(pages[0], true)), "{profile}");
        audit(&world, &[]);
    }
}

#[test]
fn pages_move_one_by_one_where_the_area_is_no_whole_table() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 3);
        boot.free_block(0);
        let new = destination(&mut boot, area);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(mremap(&cpu, area, new), Ok(()));
        let moved: Vec<_> = (0..3)
            .map(|n| entry(&world, new, new.start + n * PAGE_SIZE, Level::Pte))
            .collect();
        let expected: Vec<_> = pages
            .iter()
            .map(|&pfn| Some(Entry::leaf(pfn, true)))
            .collect();
        assert_eq!(moved, expected);
        audit(&world, &[]);
    }
}

#[test]
fn a_huge_page_moves_with_the_table_that_was_deposited_for_it() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, table) = huge(&mut boot, 0);
        let new = destination(&mut boot, area);
        let world = World::new(boot);
        assert_eq!(mremap(&world.cpu(), area, new), Ok(()));
        let pmd = entry(&world, new, new.start, Level::Pmd);
        assert_eq!(pmd, Some(Entry::leaf(head, true).huge()));
        assert!(!world.is_free(table));
        audit(&world, &[]);
    }
}

/// Nothing is moved where there is no memory for a table at the new address.
#[test]
fn without_memory_everything_is_where_it_was() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 3);
        let new = destination(&mut boot, area);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(mremap(&cpu, area, new), Err(Errno::Enomem));
        let first = entry(&world, area, area.start, Level::Pte);
        assert_eq!(first, Some(Entry::leaf(pages[0], true)));
        assert_eq!(mremap(&cpu, new, area), Err(Errno::Efault), "{profile}");
        audit(&world, &[]);
    }
}

/// A page is found by way of its anon_vma wherever its area is, and so is one that was faulted in after the move.
#[test]
fn pages_are_found_at_the_new_address() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let area = boot.anon_area(4);
        boot.tables_down_to(area.mm, area.start, Level::Pte);
        for _ in 0..3 {
            boot.free_block(0);
        }
        let new = destination(&mut boot, area);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(mremap(&cpu, area, new), Ok(()));
        let fault = do_user_addr_fault(&cpu, new.mm, new.start, FaultFlags::WRITE);
        assert_eq!(fault, VmFault::Done);
        let page = entry(&world, new, new.start, Level::Pte)
            .expect("a table")
            .pfn();
        let moved = migrate_page(&cpu, page).expect("it is found, and moves");
        let now = entry(&world, new, new.start, Level::Pte)
            .expect("a table")
            .pfn();
        assert_eq!(now, moved.head().pfn);
        audit(&world, &[]);
    }
}
