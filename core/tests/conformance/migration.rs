//! Migration of many, and a gigantic page of raw ones, each alone: what they leave behind, and how they fail.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated, set_flag};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::Area;
use gupcheck_core::folio::{CompoundHead, GUP_PIN_COUNTING_BIAS, Owner, PageFlags};
use gupcheck_core::mutators::{MigrateMode, migrate_pages, prep_compound_gigantic_folio};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE, find_entry};

const MODES: [MigrateMode; 2] = [MigrateMode::Async, MigrateMode::Sync];

fn pte(world: &World, area: Area, nth: u64) -> Entry {
    let cpu = world.cpu();
    let addr = area.start + nth * PAGE_SIZE;
    let found = find_entry(&cpu, world.machine.mm(area.mm), addr, Level::Pte);
    found.map_or(Entry::NONE, |ptep| ptep.get(&cpu))
}

#[test]
fn all_pages_move_with_their_contents() {
    for profile in Profile::ALL {
        for mode in MODES {
            let mut boot = boot(profile);
            let (area, pages) = populated(&mut boot, 2);
            for (value, &page) in (5..).zip(&pages) {
                let contents = boot.page(page).contents;
                boot.layout().set(contents, value);
                boot.free_block(0);
            }
            let world = World::new(boot);
            assert_eq!(migrate_pages(&world.cpu(), &pages, mode), 2);
            for (nth, &page) in (0..).zip(&pages) {
                assert!(world.is_free(page));
                let entry = pte(&world, area, nth);
                assert!(entry.is_writable() && !pages.contains(&entry.pfn()));
                let new = world.machine.page(entry.pfn());
                assert_eq!(world.get(new.contents), 5 + nth as u32);
                let flags = PageFlags::LRU | PageFlags::ANON_EXCLUSIVE;
                assert!(world.flags(entry.pfn()).contains(flags));
            }
            audit(&world, &[]);
        }
    }
}

#[test]
fn a_page_that_somebody_has_stays_and_the_others_move() {
    for mode in MODES {
        for extra in [1, GUP_PIN_COUNTING_BIAS] {
            let mut boot = boot(&ARM64);
            let (area, pages) = populated(&mut boot, 2);
            boot.free_block(0);
            boot.free_block(0);
            let refcount = boot.page(pages[0]).refcount;
            boot.layout().set(refcount, 1 + extra);
            let world = World::new(boot);
            assert_eq!(migrate_pages(&world.cpu(), &pages, mode), 1);
            assert_eq!(pte(&world, area, 0), Entry::leaf(pages[0], true));
            assert!(world.flags(pages[0]).contains(PageFlags::LRU));
            assert!(world.is_free(pages[1]));
            audit(&world, &[Held::Refs(pages[0], extra)]);
        }
    }
}

#[test]
fn without_memory_for_all_some_move_and_the_rest_is_where_it_was() {
    for mode in MODES {
        for (memory, count) in [(0, 3), (1, 2), (1, 3), (2, 3)] {
            let mut boot = boot(&X86_NATIVE);
            let (area, pages) = populated(&mut boot, count);
            for _ in 0..memory {
                boot.free_block(0);
            }
            let world = World::new(boot);
            // The frames of those that move are free by then, and are not used: -ENOMEM ends it, synchronous or not.
            assert_eq!(migrate_pages(&world.cpu(), &pages, mode), memory);
            for (nth, &page) in (0..).zip(&pages) {
                let stays = nth >= u64::from(memory);
                assert_eq!(pte(&world, area, nth).pfn() == page, stays);
                assert!(pte(&world, area, nth).pte_present());
                let flags = world.flags(pte(&world, area, nth).pfn());
                assert!(flags.contains(PageFlags::LRU) && !flags.contains(PageFlags::LOCKED));
            }
            audit(&world, &[]);
        }
    }
}

#[test]
fn a_locked_page_is_left_alone_by_who_does_not_wait() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 1);
    boot.free_block(0);
    set_flag(&mut boot, pages[0], PageFlags::LOCKED, true);
    let world = World::new(boot);
    assert_eq!(migrate_pages(&world.cpu(), &pages, MigrateMode::Async), 0);
    assert_eq!(pte(&world, area, 0), Entry::leaf(pages[0], true));
}

#[test]
fn a_page_of_the_swap_cache_that_nobody_maps_moves_there() {
    let mut boot = boot(&ARM64);
    let area = boot.anon_area(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    let page = boot.cached_for(slot);
    let target = boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(migrate_pages(&world.cpu(), &[page], MigrateMode::Async), 1);
    let cached = world.machine.swap().slots[slot as usize].cached;
    assert_eq!(world.get(cached).0, Some(target));
    assert_eq!(pte(&world, area, 0), Entry::swap(slot, true));
    audit(&world, &[]);
}

#[test]
fn raw_pages_become_one_folio_or_stay_what_they_are() {
    for taken in [false, true] {
        let mut boot = boot(&ARM64);
        let head = boot.anon_page(Owner::Other, 1);
        let tail = boot.anon_page(Owner::Other, if taken { 2 } else { 1 });
        let world = World::new(boot);
        let made = prep_compound_gigantic_folio(&world.cpu(), head, 1);
        assert_eq!(made, !taken);
        assert_eq!(world.refs(head), 1);
        assert_eq!(world.refs(tail), if taken { 2 } else { 0 });
        let linked = world.get(world.machine.page(tail).compound_head);
        assert_eq!(linked, CompoundHead(made.then_some(head)));
        assert_eq!(world.flags(head).contains(PageFlags::HEAD), made);
    }
}
