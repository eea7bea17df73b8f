//! The kernel's words for memory ordering, on the facade's C11 orderings.
//!
//! | kernel | here |
//! | --- | --- |
//! | `READ_ONCE` | relaxed load |
//! | `READ_ONCE`, value dereferenced | acquire load: [`read_once_dereferenced`] |
//! | `WRITE_ONCE` | relaxed store |
//! | `smp_mb` | SC fence |
//! | `smp_rmb`, `smp_wmb` | acquire fence, release fence |
//! | value-returning atomics without suffix | one fully ordered RMW; nothing is ordered if its condition refuses |
//! | `_acquire`, `_release`, `_relaxed` | as named |
//! | `atomic_add` and other void atomics | relaxed RMW |
//! | `smp_mb__before_atomic`, `smp_mb__after_atomic` | SC fence |
//!
//! Where that is stronger or weaker than the kernel's own model, `docs/limits.md` says so.
//! SC *accesses* are not used anywhere.

use crate::sync::{Atomic, FenceOrder, Lane, LoadOrder, Rmw, RmwOrder, StoreOrder, Word};

/// `READ_ONCE` of a value that nobody dereferences.
#[track_caller]
pub fn read_once<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>) -> T {
    cell.load(cpu, LoadOrder::Relaxed)
}

/// `READ_ONCE` of a value that is dereferenced: the head of an address dependency, which C11 can only
/// express as an acquire. Stronger than the kernel: later accesses that do not depend on the value are
/// ordered too.
#[track_caller]
pub fn read_once_dereferenced<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>) -> T {
    cell.load(cpu, LoadOrder::Acquire)
}

/// `WRITE_ONCE`.
#[track_caller]
pub fn write_once<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, value: T) {
    cell.store(cpu, value, StoreOrder::Relaxed);
}

/// `smp_store_release`.
#[track_caller]
pub fn smp_store_release<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, value: T) {
    cell.store(cpu, value, StoreOrder::Release);
}

/// `smp_mb`.
#[track_caller]
pub fn smp_mb(cpu: &Lane<'_>) {
    cpu.fence(FenceOrder::SeqCst);
}

/// `smp_mb__after_atomic`.
#[track_caller]
pub fn smp_mb_after_atomic(cpu: &Lane<'_>) {
    cpu.fence(FenceOrder::SeqCst);
}

/// `smp_rmb`. An acquire fence, which orders earlier loads before later stores as well: stronger.
#[track_caller]
pub fn smp_rmb(cpu: &Lane<'_>) {
    cpu.fence(FenceOrder::Acquire);
}

/// `smp_wmb`. A release fence, which orders earlier loads before later stores as well: stronger.
#[track_caller]
pub fn smp_wmb(cpu: &Lane<'_>) {
    cpu.fence(FenceOrder::Release);
}

/// `atomic_add` (and `atomic_sub`, with a negative addend): no value, no order.
#[track_caller]
pub fn atomic_add(cpu: &Lane<'_>, cell: Atomic<i32>, n: i32) {
    cell.rmw(cpu, Rmw::Add(n.into_word()), RmwOrder::Relaxed);
}

/// `atomic_add_return` with an explicit order, for steps that weaken it.
#[track_caller]
pub fn atomic_add_return_ordered(
    cpu: &Lane<'_>,
    cell: Atomic<i32>,
    n: i32,
    order: RmwOrder,
) -> i32 {
    cell.rmw(cpu, Rmw::Add(n.into_word()), order)
        .wrapping_add(n)
}

/// `atomic_add_unless`: adds `n` unless the value is `unless`; whether it did. `order` holds on success
/// only ([`RmwOrder::Full`] in the kernel; weaker where a step is knocked out).
#[track_caller]
pub fn atomic_add_unless(
    cpu: &Lane<'_>,
    cell: Atomic<i32>,
    n: i32,
    unless: i32,
    order: RmwOrder,
) -> bool {
    let rmw = Rmw::AddUnless {
        add: n.into_word(),
        unless: unless.into_word(),
    };
    cell.rmw(cpu, rmw, order) != unless
}

/// `atomic_cmpxchg`: fully ordered on success; whether it exchanged.
#[track_caller]
pub fn atomic_cmpxchg<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, expected: T, new: T) -> bool {
    cell.compare_exchange(cpu, expected, new, RmwOrder::Full)
        .is_ok()
}

/// `xchg` with the order that a profile gives it; returns the old value.
#[track_caller]
pub fn xchg<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, value: T, order: RmwOrder) -> T {
    cell.swap(cpu, value, order)
}
