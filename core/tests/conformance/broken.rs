//! Memory fails under a page, each time alone: what is left of it, and who is told.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome, populated, set_flag};
use crate::mutators::entry;
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{
    GUP_PIN_COUNTING_BIAS, Memory, Owner, PageFlags, Pfn, alloc_folio, clear_page_flags,
};
use gupcheck_core::gup::{Errno, Foll, get_user_pages_fast};
use gupcheck_core::mm::{FaultFlags, VmFault, VmFlags};
use gupcheck_core::mutators::{
    Poisoned, do_user_addr_fault, madvise_dontneed, memory_failure, migrate_page, mprotect,
};
use gupcheck_core::pgtable::{Bits, Entry, Level};
use gupcheck_core::swap::SwapUse;

/// A page that may fail, mapped, with so many references more, and a free one.
fn mapped(profile: &'static Profile, extra: i32) -> (Boot, Area, Pfn) {
    let mut boot = boot(profile);
    let (area, pages) = populated(&mut boot, 1);
    may_fail(&mut boot, pages[0]);
    boot.free_block(0);
    let refcount = boot.page(pages[0]).refcount;
    let refs = boot.layout().get(refcount) + extra;
    boot.layout().set(refcount, refs);
    (boot, area, pages[0])
}

fn may_fail(boot: &mut Boot, pfn: Pfn) {
    let memory = Memory {
        may_fail: true,
        ..Memory::default()
    };
    boot.set_memory(pfn, memory);
}

fn pte(world: &World, area: Area) -> Entry {
    entry(world, area, area.start, Level::Pte).expect("a table")
}

#[test]
fn a_page_in_use_is_unmapped_and_whoever_comes_is_told() {
    for profile in Profile::ALL {
        for extra in [0, 1, GUP_PIN_COUNTING_BIAS] {
            let (boot, area, page) = mapped(profile, extra);
            let world = World::new(boot);
            let cpu = world.cpu();
            let before = pte(&world, area);
            assert_eq!(memory_failure(&cpu, page), Poisoned::Recovered);
            assert_eq!(pte(&world, area), before.poisoned());
            let flags = world.flags(page);
            assert!(flags.contains(PageFlags::HWPOISON));
            assert!(!flags.intersects(PageFlags::LRU | PageFlags::LOCKED));
            // The mapping's reference is gone, and the handler's is there for good.
            audit(&world, &[Held::Refs(page, 1 + extra)]);
            for flags in [FaultFlags::empty(), FaultFlags::WRITE] {
                let fault = do_user_addr_fault(&cpu, area.mm, area.start, flags);
                assert_eq!(fault, VmFault::Hwpoison);
            }
            let gup = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::WRITE);
            assert_eq!(outcome(&gup), (Err(Errno::Efault), vec![]));
            assert_eq!(memory_failure(&cpu, page), Poisoned::Known);
            madvise_dontneed(&cpu, area.mm, area.start, area.end);
            assert!(pte(&world, area).is_none());
            audit(&world, &[Held::Refs(page, 1 + extra)]);
        }
    }
}

#[test]
fn an_entry_that_says_so_is_changed_by_nobody() {
    let (mut boot, area, page) = mapped(&ARM64, 0);
    boot.protectable(area);
    let world = World::new(boot);
    let cpu = world.cpu();
    memory_failure(&cpu, page);
    let before = pte(&world, area);
    mprotect(&cpu, area, VmFlags::READ);
    assert_eq!(pte(&world, area), before);
}

#[test]
fn a_free_page_is_given_to_nobody() {
    let mut boot = boot(&ARM64);
    let page = boot.free_block(0);
    may_fail(&mut boot, page);
    let world = World::new(boot);
    assert_eq!(memory_failure(&world.cpu(), page), Poisoned::TakenOff);
    assert!(alloc_folio(&world.cpu(), 0, Owner::Us).is_none());
    audit(&world, &[Held::Refs(page, 1)]);
}

#[test]
fn a_page_that_somebody_isolated_is_left_alone_until_it_is_freed() {
    let (mut boot, area, page) = mapped(&X86_NATIVE, 0);
    set_flag(&mut boot, page, PageFlags::LRU, false);
    let world = World::new(boot);
    let before = pte(&world, area);
    assert_eq!(memory_failure(&world.cpu(), page), Poisoned::Ignored);
    assert_eq!(pte(&world, area), before);
    assert_eq!(world.refs(page), 1);
    madvise_dontneed(&world.cpu(), area.mm, area.start, area.end);
    assert!(world.refs(page) == 0 && !world.is_free(page));
}

#[test]
fn a_page_in_a_batch_is_on_the_lru_once_batches_are_drained() {
    let (mut boot, area, page) = mapped(&ARM64, 0);
    set_flag(&mut boot, page, PageFlags::LRU, false);
    boot.lru_batch(page);
    let world = World::new(boot);
    assert_eq!(memory_failure(&world.cpu(), page), Poisoned::Recovered);
    assert!(pte(&world, area).is_hwpoison());
    audit(&world, &[Held::Refs(page, 1)]);
}

#[test]
fn a_page_of_the_swap_cache_leaves_it_if_its_contents_are_in_swap_space() {
    for (dirty, extra, how) in [
        (false, 0, Poisoned::Recovered),
        (true, 0, Poisoned::Delayed),
        (false, 1, Poisoned::Failed),
        (true, 1, Poisoned::Failed),
    ] {
        let (mut boot, area, page) = mapped(&ARM64, extra);
        boot.add_to_swap_cache(page);
        // What is mapped clean has been written out.
        boot.change_pte(area.mm, area.start, |pte| pte.without(Bits::DIRTY));
        set_flag(&mut boot, page, PageFlags::DIRTY, dirty);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(memory_failure(&cpu, page), how);
        assert_eq!(pte(&world, area), Entry::swap(0, true));
        let used = SwapUse {
            entries: 1,
            has_cache: dirty,
        };
        assert_eq!(world.get(world.machine.swap().slots[0].used), used);
        audit(&world, &[Held::Refs(page, 1 + extra)]);
        let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::empty());
        // Of what is lost the cache tells; else it is read from swap space again.
        let told = [VmFault::Done, VmFault::Hwpoison][usize::from(dirty)];
        assert_eq!(fault, told);
        assert_ne!(pte(&world, area).pfn(), page);
    }
}

/// The first look of the fault came before the page was marked; its second look is at what was done since.
#[test]
fn a_fault_that_waited_for_the_folio_does_not_map_what_is_lost() {
    let (mut boot, area, page) = mapped(&ARM64, 0);
    boot.add_to_swap_cache(page);
    let world = World::new(boot);
    let cpu = world.cpu();
    assert_eq!(memory_failure(&cpu, page), Poisoned::Delayed);
    assert!(world.flags(page).contains(PageFlags::NOT_UPTODATE));
    clear_page_flags(&cpu, world.machine.page(page), PageFlags::HWPOISON);
    let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::empty());
    assert_eq!(fault, VmFault::Sigbus);
    assert_eq!(pte(&world, area), Entry::swap(0, true));
    assert!(!world.flags(page).contains(PageFlags::LOCKED));
    audit(&world, &[Held::Refs(page, 1)]);
}

#[test]
fn a_pinned_page_of_the_swap_cache_stays_mapped() {
    let (mut boot, area, page) = mapped(&X86_NATIVE, GUP_PIN_COUNTING_BIAS);
    boot.add_to_swap_cache(page);
    let world = World::new(boot);
    let before = pte(&world, area);
    assert_eq!(memory_failure(&world.cpu(), page), Poisoned::Failed);
    assert_eq!(pte(&world, area), before);
    assert!(!world.flags(page).contains(PageFlags::LOCKED));
    audit(&world, &[Held::Pins(page, 1), Held::Refs(page, 1)]);
}

#[test]
fn whoever_migrates_such_a_page_leaves_an_entry_that_says_so() {
    let (mut boot, area, page) = mapped(&ARM64, 0);
    set_flag(&mut boot, page, PageFlags::HWPOISON, true);
    let world = World::new(boot);
    let before = pte(&world, area);
    assert!(migrate_page(&world.cpu(), page).is_some());
    assert_eq!(pte(&world, area), before.poisoned());
    assert_eq!(world.refs(page), 0);
}
