//! Folios that want to be split: in the queue, and out of it.
//!
//! # The protocol
//!
//! A large folio of which a part is mapped no more keeps the memory of that part. It is not split at once, because whoever
//! unmaps holds locks, and because the rest may go in a moment:
//!
//! 1. whoever unmaps the part puts the folio into the queue, under the queue's lock, unless it is in some list already. That is
//!    looked at once before the lock is taken: to come too late then is to find it queued by somebody else;
//! 2. whoever frees the folio takes it out, under the lock, before the page is anybody else's (`folio_undo_large_rmappable`);
//! 3. whoever splits it takes it out, under the lock, with the count frozen;
//! 4. the shrinker takes a reference of each folio in the queue, under the lock, *unless the count is zero*: that one is on its
//!    way through 2, and waits for the lock.
//!
//! A walker has no part in this. Its pin makes the split fail, and the folio goes back into the queue.

use super::{BlockLink, Deferred, Folio, PageFlags};
use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::lkmm::{atomic_add, atomic_add_unless, read_once, read_once_is, write_once};
use crate::step::Step;
use crate::sync::{Fault, RmwOrder};
use arrayvec::ArrayVec;

/// `deferred_split_folio`.
pub fn deferred_split_folio(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("deferred_split_folio");
    if folio.test(cpu, PageFlags::SWAP_CACHE) || !is_in_no_list(cpu, folio) {
        return;
    }
    locked(cpu, || {
        if is_in_no_list(cpu, folio) {
            write_once(cpu, folio.head().partially_mapped, true);
            queue(cpu, folio);
        }
    });
}

/// `deferred_split_folio` of kernels that queue every huge page, because it may turn out to be used in part only: of one that is mapped
/// as a whole, as far as its caller knows.
pub fn queue_whole_folio(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("deferred_split_folio");
    locked(cpu, || {
        // VM_WARN_ON_FOLIO: what is mapped in part does not become whole again.
        if read_once_is(cpu, folio.head().partially_mapped, true) {
            cpu.fault(Fault::Bug {
                what: "a folio is queued as one that is mapped as a whole, and a part of it is not",
                cell: Some(folio.head().partially_mapped.id()),
            });
        }
        if is_in_no_list(cpu, folio) {
            queue(cpu, folio);
        }
    });
}

/// `list_empty(&folio->_deferred_list)`.
#[track_caller]
fn is_in_no_list(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    read_once_is(cpu, folio.head().deferred, Deferred::No)
}

/// Under `split_queue_lock`, with interrupts off.
pub fn locked<R>(cpu: &Cpu<'_>, what: impl FnOnce() -> R) -> R {
    local_irq_save(cpu);
    let queue = &cpu.machine().split_queue;
    queue.lock.lock(cpu);
    let done = what();
    queue.lock.unlock(cpu);
    local_irq_restore(cpu);
    done
}

/// `list_add_tail`, under the lock.
///
/// # Panics
/// If a scenario queues more folios than there is room for.
pub fn queue(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let folios = &cpu.machine().split_queue.folios;
    let free = folios.iter().find(|place| place.read(cpu).0.is_none());
    let place = free.expect("more folios are queued than the model has room for");
    place.write(cpu, BlockLink(Some(folio.head().pfn)));
    write_once(cpu, folio.head().deferred, Deferred::Queued);
}

/// `list_del`, under the lock: out of whichever list it is in, if any.
pub fn unqueue(cpu: &Cpu<'_>, folio: Folio<'_>) {
    match read_once(cpu, folio.head().deferred) {
        Deferred::No => return,
        Deferred::Queued => take_place(cpu, folio),
        // The list of a shrinker: its folios are found by their own mark there.
        Deferred::Scanned => {}
    }
    write_once(cpu, folio.head().partially_mapped, false);
    write_once(cpu, folio.head().deferred, Deferred::No);
}

/// The folio's place in the queue is free, and those behind it move up.
fn take_place(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let [first, second] = &cpu.machine().split_queue.folios;
    if first.read(cpu).0 == Some(folio.head().pfn) {
        first.write(cpu, second.read(cpu));
    }
    second.write(cpu, BlockLink(None));
}

/// What a shrinker begins with, under the lock: all that is in the queue goes into a list of its own, each with a reference. What
/// could not be had is out of the queue.
pub fn take_all<'m>(cpu: &Cpu<'m>) -> ArrayVec<Folio<'m>, 2> {
    let mut taken = ArrayVec::new();
    for place in &cpu.machine().split_queue.folios {
        let Some(head) = place.read(cpu).0 else {
            continue;
        };
        place.write(cpu, BlockLink(None));
        let folio = Folio::of(cpu.machine().page(head));
        // ORDERING: none; the count itself decides. Whoever dropped the last reference waits for this lock, to take the folio out of
        // the queue. Pairs with the last drop. Without it, a reference of a folio that is being freed: I9. Step
        // `scan-unless-zero`.
        let got = if cpu.does(Step::ScanUnlessZero) {
            atomic_add_unless(cpu, folio.head().refcount, 1, 0, RmwOrder::Full)
        } else {
            atomic_add(cpu, folio.head().refcount, 1);
            true
        };
        let mark = if got { Deferred::Scanned } else { Deferred::No };
        write_once(cpu, folio.head().deferred, mark);
        if got {
            taken.push(folio);
        }
    }
    taken
}

/// `folio_undo_large_rmappable`: a folio that is being freed leaves its list.
pub fn folio_undo_large_rmappable(cpu: &Cpu<'_>, folio: Folio<'_>) {
    // Whoever queued it had a reference; so what is read here without the lock is not too old. Without it: the queue names a page
    // that is somebody else's by then. Step `free-unqueues`.
    if !cpu.does(Step::FreeUnqueues) || is_in_no_list(cpu, folio) {
        return;
    }
    let _span = cpu.span("folio_undo_large_rmappable");
    locked(cpu, || unqueue(cpu, folio));
}
