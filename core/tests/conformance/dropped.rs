//! The mmap lock that a fault has dropped: what of the call is kept, what ends it, and what is tried again.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome};
use crate::files::{SHARED, cache, mapped, pte, range};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::cpu::{Signal, send_sig};
use gupcheck_core::folio::PageFlags;
use gupcheck_core::gup::{
    Errno, Foll, faultin_vma_page_range, fixup_user_fault, get_user_pages_unlocked, mm_populate,
    populate_vma_page_range,
};
use gupcheck_core::mm::{Backing, FaultFlags, VmFlags};
use gupcheck_core::pgtable::PAGE_SIZE;
use gupcheck_core::sync::LaneId;

/// Of two pages the first is faulted in without the lock, and for the second there is no memory: the first is kept, and no error told.
#[test]
fn what_was_got_before_the_lock_was_dropped_is_kept() {
    for backing in [Backing::File, Backing::Shmem] {
        let (mut boot, area, file) = mapped(backing, SHARED);
        // A table and a page.
        boot.free_pages(2);
        let world = World::new(boot);
        let gup = get_user_pages_unlocked(&world.cpu(), range(area, 2), Foll::WRITE);
        let page = cache(&world, file, 0).expect("it was faulted in");
        assert_eq!(got(&gup), [page]);
        // The second one alone is an error.
        let second = gupcheck_core::gup::UserRange {
            start: area.addr(1),
            ..range(area, 1)
        };
        let gup = get_user_pages_unlocked(&world.cpu(), second, Foll::WRITE);
        assert_eq!(outcome(&gup), (Err(Errno::Enomem), vec![]));
        audit(&world, &[Held::Refs(page, 1)]);
    }
}

/// Once the lock is dropped a signal ends the call, if it is fatal or the caller says that any may.
#[test]
fn a_signal_ends_it_where_the_lock_was_dropped() {
    for (signal, flags, expected) in [
        (Signal::None, Foll::empty(), Ok(1)),
        (Signal::None, Foll::INTERRUPTIBLE, Ok(1)),
        (Signal::Ordinary, Foll::empty(), Ok(1)),
        (Signal::Ordinary, Foll::INTERRUPTIBLE, Err(Errno::Eintr)),
    ] {
        let (mut boot, area, _) = mapped(Backing::File, SHARED);
        boot.signalable(0);
        boot.free_pages(2);
        let world = World::new(boot);
        let cpu = world.cpu();
        send_sig(&cpu, LaneId(0), signal);
        let gup = get_user_pages_unlocked(&cpu, range(area, 1), Foll::WRITE | flags);
        let (result, pages) = outcome(&gup);
        assert_eq!(result, expected, "{signal:?} {flags:?}");
        // Of one page there is nothing left to walk for once it is had.
        let walks = if expected.is_ok() { 2 } else { 1 };
        assert_eq!(world.times("__get_user_pages"), walks);
        let held: Vec<_> = pages.iter().map(|&pfn| Held::Refs(pfn, 1)).collect();
        audit(&world, &held);
    }
}

/// The second try of a fault that is fixed up is the same fault as the first: a write stays one.
#[test]
fn a_write_that_is_tried_again_is_a_write() {
    for write in [false, true] {
        let (mut boot, area, file) = mapped(Backing::File, SHARED);
        boot.free_pages(2);
        let world = World::new(boot);
        let cpu = world.cpu();
        let mut fault = FaultFlags::empty();
        fault.set(FaultFlags::WRITE, write);
        let mut unlocked = false;
        let mm = world.machine.mm(area.mm);
        mm.read_lock(&cpu);
        let fixed = fixup_user_fault(&cpu, area.mm, area.start, fault, Some(&mut unlocked));
        mm.read_unlock(&cpu);
        assert_eq!((fixed, unlocked), (Ok(()), true));
        assert_eq!(world.times("handle_mm_fault"), 2);
        assert_eq!(pte(&world, area, 0).is_writable(), write);
        let page = cache(&world, file, 0).expect("it was faulted in");
        assert_eq!(world.flags(page).contains(PageFlags::DIRTY), write);
        audit(&world, &[]);
    }
}

/// Who populates an area lets its fault drop the lock, and is told so; the one that has no word for it does not.
#[test]
fn populating_lets_the_lock_be_dropped() {
    for (madvise, may) in [(true, true), (false, true), (false, false)] {
        let (mut boot, area, _) = mapped(Backing::File, SHARED);
        boot.free_pages(3);
        let world = World::new(boot);
        let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
        mm.read_lock(&cpu);
        let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
        let all = (area.start, area.end);
        let mut locked = true;
        let done = if madvise {
            faultin_vma_page_range(&cpu, mm, vma, all, true, &mut locked)
        } else {
            populate_vma_page_range(&cpu, mm, vma, all, may.then_some(&mut locked))
        };
        if locked {
            mm.read_unlock(&cpu);
        }
        assert_eq!(locked, !may);
        // Nothing is there yet; by whoever has waited with the lock held, all of it.
        assert_eq!(done, Ok(if may { 0 } else { 2 }));
        audit(&world, &[]);
    }
}

/// What is shared is populated for readers, so that nothing is made dirty for nothing; what is private for its writers.
#[test]
fn only_what_would_be_copied_is_written_to() {
    for backing in [Backing::File, Backing::Shmem] {
        for vm in [SHARED, VmFlags::PRIVATE] {
            let (mut boot, area, file) = mapped(backing, vm);
            boot.free_pages(5);
            let world = World::new(boot);
            let populated = mm_populate(&world.cpu(), area.mm, area.start, 2 * PAGE_SIZE, false);
            assert_eq!(populated, Ok(()));
            for nth in 0..2 {
                let page = cache(&world, file, nth as usize).expect("it is in the cache");
                assert!(!world.flags(page).contains(PageFlags::DIRTY));
                let entry = pte(&world, area, nth);
                assert_eq!(entry.pfn() == page, vm == SHARED, "{backing:?} {vm:?}");
                assert!(!entry.is_dirty() || vm == VmFlags::PRIVATE);
            }
            audit(&world, &[]);
        }
    }
    // A page of the caller's own, where a reader would get the zero page.
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let zero = boot.zero_page();
    boot.free_pages(3);
    let world = World::new(boot);
    let populated = mm_populate(&world.cpu(), area.mm, area.start, 2 * PAGE_SIZE, false);
    assert_eq!(populated, Ok(()));
    for nth in 0..2 {
        let entry = pte(&world, area, nth);
        assert!(entry.is_writable() && entry.pfn() != zero);
    }
    audit(&world, &[]);
}
