//! What slow GUP, and who fixes a fault up, make of files: the lock that a fault has dropped, and who may pin what.

use crate::books::{Held, audit};
use crate::common::{World, outcome};
use crate::files::{SHARED, cache, mapped, pte, range, touch};
use gupcheck_core::folio::PageFlags;
use gupcheck_core::gup::{
    Errno, Foll, fixup_user_fault, get_user_pages, get_user_pages_remote, get_user_pages_unlocked,
    pin_user_pages_fast,
};
use gupcheck_core::mm::{Backing, FaultFlags, VmFault, VmFlags};

// PARITY: 16, 22, 54
#[test]
fn a_fault_that_is_done_without_the_lock_is_no_failure() {
    for (backing, warm, faults) in [
        // Told of, and dropped; looked at again.
        (Backing::File, true, 1),
        // Read, dropped; tried again, with the lock held.
        (Backing::File, false, 2),
        (Backing::Shmem, false, 1),
    ] {
        let (mut boot, area, file) = mapped(backing, SHARED);
        if warm {
            boot.cached(file, 0);
            boot.cached(file, 1);
        }
        boot.free_pages(3);
        let world = World::new(boot);
        let cpu = world.cpu();
        let mm = world.machine.mm(area.mm);
        mm.read_lock(&cpu);
        let mut locked = true;
        let of = range(area, 2);
        let gup = get_user_pages_remote(&cpu, area.mm, of, Foll::WRITE, Some(&mut locked));
        assert!(!locked, "it was dropped, and the caller is told");
        let (result, pages) = outcome(&gup);
        assert_eq!(result, Ok(2), "{backing:?}");
        assert_eq!(
            pages,
            [0, 1].map(|n| cache(&world, file, n).expect("a page"))
        );
        assert!(world.no_locks_held());
        assert!(world.times("handle_mm_fault") >= 2 * faults);
        let held: Vec<_> = pages.iter().map(|&pfn| Held::Refs(pfn, 1)).collect();
        audit(&world, &held);
    }
}

// PARITY: 16, 22
#[test]
fn who_does_not_let_the_lock_be_dropped_has_it_in_the_end() {
    for (backing, flags) in [
        (Backing::File, Foll::WRITE),
        (Backing::File, Foll::empty()),
        (Backing::File, Foll::WRITE | Foll::NOWAIT),
        (Backing::Shmem, Foll::WRITE),
    ] {
        let (mut boot, area, _) = mapped(backing, SHARED);
        boot.free_pages(3);
        let world = World::new(boot);
        let cpu = world.cpu();
        let mm = world.machine.mm(area.mm);
        mm.read_lock(&cpu);
        let gup = get_user_pages(&cpu, range(area, 2), flags);
        mm.read_unlock(&cpu);
        let (result, pages) = outcome(&gup);
        assert_eq!(result, Ok(2), "{backing:?} {flags:?}");
        let held: Vec<_> = pages.iter().map(|&pfn| Held::Refs(pfn, 1)).collect();
        audit(&world, &held);
    }
}

/// Somebody has the folio's lock: who may not wait gets nothing, and keeps the mmap lock.
// PARITY: 22
#[test]
fn a_folio_that_is_locked_ends_a_walk_that_may_not_wait() {
    let (mut boot, area, file) = mapped(Backing::File, SHARED);
    let page = boot.cached(file, 0);
    let flags = boot.page(page).flags;
    let locked = boot.layout().get(flags) | PageFlags::LOCKED;
    boot.layout().set(flags, locked);
    boot.free_pages(1);
    let world = World::new(boot);
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    mm.read_lock(&cpu);
    let gup = get_user_pages(&cpu, range(area, 1), Foll::NOWAIT);
    mm.read_unlock(&cpu);
    assert_eq!(outcome(&gup), (Ok(0), vec![]));
    world.set(flags, world.get(flags) - PageFlags::LOCKED);
    audit(&world, &[]);
}

// PARITY: 18, 55, 56, 58
#[test]
fn a_fault_that_is_fixed_up_ends_with_the_lock_and_says_that_it_was_dropped() {
    for (backing, write, dropped) in [
        (Backing::File, true, true),
        (Backing::File, false, true),
        (Backing::Shmem, true, true),
        (Backing::Shmem, false, false),
    ] {
        for may in [false, true] {
            let (mut boot, area, file) = mapped(backing, SHARED);
            boot.free_pages(2);
            let world = World::new(boot);
            let cpu = world.cpu();
            let mut fault = FaultFlags::empty();
            fault.set(FaultFlags::WRITE, write);
            let mut unlocked = false;
            let mm = world.machine.mm(area.mm);
            mm.read_lock(&cpu);
            let told = may.then_some(&mut unlocked);
            let fixed = fixup_user_fault(&cpu, area.mm, area.start, fault, told);
            // Which it has, in any case.
            mm.read_unlock(&cpu);
            assert_eq!(fixed, Ok(()));
            assert_eq!(unlocked, may && dropped, "{backing:?} {write}");
            assert_eq!(Some(pte(&world, area, 0).pfn()), cache(&world, file, 0));
            audit(&world, &[]);
        }
    }
}

/// Flags, and what a pin comes to, of each kind of area: where a fault must be made, and where the fast walk finds it.
type Case = (Backing, VmFlags, Foll, Result<usize, Errno>);

// PARITY: 8, 21, 61, O1
#[test]
fn pins_of_files_are_for_those_who_do_not_spoil_them() {
    let long = Foll::LONGTERM;
    let no = Err(Errno::Efault);
    let private = VmFlags::PRIVATE;
    let cases: [Case; 13] = [
        (Backing::File, private, Foll::empty(), Ok(1)),
        (Backing::File, private, Foll::WRITE | long, Ok(1)),
        (Backing::File, private, long, Ok(1)),
        (Backing::File, SHARED, Foll::WRITE, Ok(1)),
        (Backing::File, SHARED, long, Ok(1)),
        (Backing::File, SHARED, Foll::WRITE | long, no),
        (Backing::Shmem, SHARED, Foll::WRITE | long, Ok(1)),
        (Backing::Shmem, private, long, Ok(1)),
        (Backing::Secretmem, SHARED, Foll::empty(), no),
        (Backing::Secretmem, SHARED, Foll::WRITE | long, no),
        (Backing::File, SHARED - VmFlags::WRITE, long, Ok(1)),
        (Backing::File, SHARED - VmFlags::WRITE, Foll::WRITE, no),
        (
            Backing::File,
            private - VmFlags::WRITE,
            Foll::WRITE | Foll::FORCE,
            Ok(1),
        ),
    ];
    for (backing, vm, flags, expected) in cases {
        for touched in [false, true] {
            let (mut boot, area, file) = mapped(backing, vm);
            boot.free_pages(4);
            let world = World::new(boot);
            let cpu = world.cpu();
            if touched {
                let write = vm.contains(SHARED);
                let kind = if write {
                    FaultFlags::WRITE
                } else {
                    FaultFlags::empty()
                };
                assert_eq!(touch(&world, area, kind), VmFault::Done);
            }
            let gup = pin_user_pages_fast(&cpu, area.mm, area.start, 1, flags);
            let (result, pages) = outcome(&gup);
            assert_eq!(result, expected, "{backing:?} {vm:?} {flags:?}");
            let held: Vec<_> = pages.iter().map(|&pfn| Held::Pins(pfn, 1)).collect();
            audit(&world, &held);
            // What a private area pins for long, or to write, is its own.
            let own = pages.iter().any(|&pfn| Some(pfn) != cache(&world, file, 0));
            let copied = vm.is_cow() && !(flags & (Foll::WRITE | long)).is_empty();
            assert_eq!(own, copied && expected.is_ok(), "{vm:?} {flags:?}");
        }
    }
}

/// Where only anonymous memory is asked for, a file's is not even faulted in; and a dump leaves out nothing of a file.
// PARITY: 6, 61
#[test]
fn files_are_not_anonymous_and_their_holes_are_dumped() {
    for backing in [Backing::File, Backing::Shmem] {
        let (mut boot, area, file) = mapped(backing, VmFlags::PRIVATE);
        boot.free_pages(3);
        let world = World::new(boot);
        let cpu = world.cpu();
        let anon = get_user_pages_unlocked(&cpu, range(area, 1), Foll::ANON);
        assert_eq!(anon.result, Err(Errno::Efault));
        assert_eq!(cache(&world, file, 0), None);
        let dumped = get_user_pages_unlocked(&cpu, range(area, 1), Foll::DUMP);
        let page = cache(&world, file, 0).expect("it was faulted in");
        assert_eq!(outcome(&dumped), (Ok(1), vec![page]));
        audit(&world, &[Held::Refs(page, 1)]);
    }
}
