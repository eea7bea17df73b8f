//! Reclaim and swap-in, each alone: what they leave behind, and every way in which they fail.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, populated, set_flag};
use crate::mutators::entry;
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{GUP_PIN_COUNTING_BIAS, PageFlags, Pfn};
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{do_user_addr_fault, madvise_dontneed, munmap, reclaim_pages};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE, find_entry};
use gupcheck_core::step::Step;
use gupcheck_core::swap::SwapUse;

fn pte(world: &World, area: Area) -> Entry {
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    find_entry(&cpu, mm, area.start, Level::Pte).map_or(Entry::NONE, |ptep| ptep.get(&cpu))
}

fn used(world: &World, slot: usize) -> SwapUse {
    world.get(world.machine.swap().slots[slot].used)
}

const ONE_ENTRY: SwapUse = SwapUse {
    entries: 1,
    has_cache: false,
};

/// One page, written to, and so many slots.
fn one_page(profile: &'static Profile, slots: u32) -> (Boot, Area, Pfn) {
    let mut boot = boot(profile);
    let (area, pages) = populated(&mut boot, 1);
    if slots > 0 {
        boot.swap_space(slots);
    }
    let contents = boot.page(pages[0]).contents;
    boot.layout().set(contents, 7);
    (boot, area, pages[0])
}

fn fault(world: &World, area: Area, flags: FaultFlags) -> VmFault {
    do_user_addr_fault(&world.cpu(), area.mm, area.start, flags)
}

#[test]
fn a_page_is_swapped_out_and_comes_back_with_its_contents() {
    for profile in Profile::ALL {
        for write in [false, true] {
            let (mut boot, area, page) = one_page(profile, 1);
            boot.free_block(0);
            let world = World::new(boot);
            assert_eq!(reclaim_pages(&world.cpu(), &[page]), 1);
            assert_eq!(pte(&world, area), Entry::swap(0, true));
            assert_eq!(used(&world, 0), ONE_ENTRY);
            assert!(world.is_free(page));
            audit(&world, &[]);
            let flags = if write {
                FaultFlags::WRITE
            } else {
                FaultFlags::empty()
            };
            assert_eq!(fault(&world, area, flags), VmFault::Done);
            let back = pte(&world, area);
            assert!(back.pte_present() && back.is_writable() == write);
            assert_eq!(world.get(world.machine.page(back.pfn()).contents), 7);
            assert!(world.flags(back.pfn()).contains(PageFlags::ANON_EXCLUSIVE));
            // Read, it stays in the cache; written to, it leaves, and the slot is free.
            let cached = world.flags(back.pfn()).contains(PageFlags::SWAP_CACHE);
            assert_eq!(cached, !write);
            assert_eq!(used(&world, 0).has_cache, !write);
            audit(&world, &[]);
        }
    }
}

#[test]
fn a_swap_entry_forgets_that_a_page_was_exclusive_without_the_step_and_of_one_that_was_not() {
    for (without, shared) in [(&[Step::SwapExclusive][..], false), (&[], true)] {
        let mut boot = boot_without(&ARM64, without);
        let (area, pages) = populated(&mut boot, 1);
        boot.swap_space(1);
        if shared {
            boot.share(area, pages[0]);
        }
        let world = World::new(boot);
        assert_eq!(reclaim_pages(&world.cpu(), &[pages[0]]), 1);
        assert_eq!(pte(&world, area), Entry::swap(0, false));
        audit(&world, &[]);
    }
}

/// What a large folio is split into is next, page by page; what else was isolated comes after.
#[test]
fn the_pages_of_a_large_folio_are_swapped_out_in_order_and_before_others() {
    let mut boot = boot(&ARM64);
    let large = boot.pmd_area();
    let head = boot.pte_mapped_thp(large);
    let (other, pages) = populated(&mut boot, 1);
    boot.swap_space(5);
    let world = World::new(boot);
    assert_eq!(reclaim_pages(&world.cpu(), &[head, pages[0]]), 5);
    for nth in 0..4 {
        let addr = large.start + u64::from(nth) * PAGE_SIZE;
        let pte = entry(&world, large, addr, Level::Pte);
        assert_eq!(pte.and_then(Entry::swap_slot), Some(nth));
    }
    assert_eq!(pte(&world, other), Entry::swap(4, true));
    audit(&world, &[]);
}

#[test]
fn a_pinned_page_stays_where_it_is() {
    for (first, slot) in [(true, SwapUse::FREE), (false, SwapUse::CACHE_ONLY)] {
        let without = [Step::SwapPeeksFirst];
        let mut boot = boot_without(&ARM64, if first { &[] } else { &without });
        let (area, pages) = populated(&mut boot, 1);
        boot.swap_space(1);
        let refcount = boot.page(pages[0]).refcount;
        boot.layout().set(refcount, 1 + GUP_PIN_COUNTING_BIAS);
        let world = World::new(boot);
        assert_eq!(reclaim_pages(&world.cpu(), &[pages[0]]), 0);
        assert_eq!(pte(&world, area), Entry::leaf(pages[0], true));
        assert!(
            world
                .flags(pages[0])
                .contains(PageFlags::ANON_EXCLUSIVE | PageFlags::LRU)
        );
        assert_eq!(used(&world, 0), slot);
        audit(&world, &[Held::Pins(pages[0], 1)]);
    }
}

#[test]
fn a_page_that_somebody_has_a_reference_of_is_unmapped_and_stays_in_the_cache() {
    let (mut boot, area, page) = one_page(&X86_NATIVE, 1);
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, 2);
    let world = World::new(boot);
    assert_eq!(reclaim_pages(&world.cpu(), &[page]), 0);
    assert_eq!(pte(&world, area), Entry::swap(0, true));
    assert!(
        world
            .flags(page)
            .contains(PageFlags::SWAP_CACHE | PageFlags::DIRTY)
    );
    audit(&world, &[Held::Refs(page, 1)]);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    let back = pte(&world, area);
    assert!(back.is_writable() && back.pfn() == page);
    audit(&world, &[Held::Refs(page, 1)]);
}

#[test]
fn a_page_that_was_not_exclusive_is_copied_by_a_write_if_somebody_has_a_reference() {
    let mut boot = boot(&ARM64);
    let area = boot.anon_area(1);
    let slot = boot.map_swap(area.mm, area.start, false);
    let page = boot.cached_for(slot);
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, 2);
    let copy = boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    assert_eq!(pte(&world, area), Entry::leaf(copy, true));
    audit(&world, &[Held::Refs(page, 1)]);
}

#[test]
fn without_a_slot_or_without_the_lock_nothing_changes() {
    for (slots, locked, lru) in [(0, false, true), (1, true, true), (1, false, false)] {
        let (mut boot, area, page) = one_page(&ARM64, slots);
        set_flag(&mut boot, page, PageFlags::LOCKED, locked);
        set_flag(&mut boot, page, PageFlags::LRU, lru);
        let world = World::new(boot);
        assert_eq!(reclaim_pages(&world.cpu(), &[page]), 0);
        assert_eq!(pte(&world, area), Entry::leaf(page, true));
        assert_eq!(world.flags(page).contains(PageFlags::LRU), lru);
        if !locked {
            audit(&world, &[]);
        }
    }
}

#[test]
fn where_swap_space_is_scarce_a_folio_leaves_the_cache_again() {
    let without = [Step::SwapPeeksFirst];
    let mut boot = boot_without(&ARM64, &without);
    let (area, pages) = populated(&mut boot, 1);
    boot.swap_space(1);
    boot.swap_is_full();
    let refcount = boot.page(pages[0]).refcount;
    boot.layout().set(refcount, 1 + GUP_PIN_COUNTING_BIAS);
    let world = World::new(boot);
    assert_eq!(reclaim_pages(&world.cpu(), &[pages[0]]), 0);
    assert_eq!(used(&world, 0), SwapUse::FREE);
    assert_eq!(pte(&world, area), Entry::leaf(pages[0], true));
    audit(&world, &[Held::Pins(pages[0], 1)]);
}

#[test]
fn a_page_that_was_given_up_is_discarded_if_it_is_clean_and_nobody_has_it() {
    for (refs, flag, entry) in [
        (1, PageFlags::empty(), Bits::empty()),
        (2, PageFlags::empty(), Bits::empty()),
        (1, PageFlags::DIRTY, Bits::empty()),
        (1, PageFlags::empty(), Bits::DIRTY),
    ] {
        let (mut boot, area, page) = one_page(&ARM64, 1);
        boot.madvise_free(area.mm, area.start, page);
        boot.change_pte(area.mm, area.start, |pte| pte.with(entry));
        let before = Entry::leaf(page, true)
            .without(Bits::DIRTY | Bits::ACCESSED)
            .with(entry);
        let (refcount, flags) = (boot.page(page).refcount, boot.page(page).flags);
        let marked = boot.layout().get(flags) | flag;
        boot.layout().set(flags, marked);
        boot.layout().set(refcount, refs);
        let world = World::new(boot);
        let discarded = refs == 1 && flag.is_empty() && entry.is_empty();
        assert_eq!(reclaim_pages(&world.cpu(), &[page]), u32::from(discarded));
        assert_eq!(world.is_free(page), discarded);
        assert_eq!(
            pte(&world, area),
            if discarded { Entry::NONE } else { before }
        );
        // What stays belongs to swap space again.
        assert!(!world.flags(page).contains(PageFlags::LAZYFREE));
        assert_eq!(used(&world, 0), SwapUse::FREE);
        audit(&world, &[Held::Refs(page, refs - 1)]);
    }
}

#[test]
fn whoever_zaps_a_swap_entry_frees_the_slot_and_what_is_cached_for_it() {
    for (cached, whole) in [(false, false), (true, false), (true, true)] {
        let mut boot = boot(&ARM64);
        let area = boot.anon_area(1);
        let slot = boot.map_swap(area.mm, area.start, true);
        let page = cached.then(|| boot.cached_for(slot));
        let world = World::new(boot);
        if whole {
            munmap(&world.cpu(), area.mm, area.vma);
        } else {
            madvise_dontneed(&world.cpu(), area.mm, area.start, area.end);
        }
        assert_eq!(used(&world, 0), SwapUse::FREE);
        assert!(page.is_none_or(|page| world.is_free(page)));
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_leaves_by_its_mapping_leaves_the_cache_as_well() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.add_to_swap_cache(pages[0]);
    let world = World::new(boot);
    madvise_dontneed(&world.cpu(), area.mm, area.start, area.end);
    assert!(world.is_free(pages[0]));
    assert_eq!(used(&world, 0), SwapUse::FREE);
    audit(&world, &[]);
}

#[test]
fn a_fault_without_memory_for_the_page_leaves_the_entry() {
    let mut boot = boot(&ARM64);
    let area = boot.anon_area(1);
    boot.map_swap(area.mm, area.start, true);
    let world = World::new(boot);
    assert_eq!(fault(&world, area, FaultFlags::empty()), VmFault::Oom);
    assert_eq!(pte(&world, area), Entry::swap(0, true));
    audit(&world, &[]);
}
