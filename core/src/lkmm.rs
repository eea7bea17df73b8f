//! The kernel's words for memory ordering, on the facade's C11 orderings.
//!
//! | kernel | here |
//! | --- | --- |
//! | `READ_ONCE` | relaxed load |
//! | `READ_ONCE`, value dereferenced | the head of an address dependency: [`read_once_dereferenced`] |
//! | `READ_ONCE(x) == y` and the like | relaxed load that asks no more than that: [`read_once_is`] and its kin |
//! | `WRITE_ONCE` | relaxed store |
//! | `smp_mb` | SC fence |
//! | `smp_rmb`, `smp_wmb` | acquire fence, release fence |
//! | value-returning atomics without suffix | one fully ordered RMW; nothing is promised if its condition refuses (x86's `lock cmpxchg` is a full barrier then, too) |
//! | `_acquire`, `_release`, `_relaxed` | as named |
//! | `atomic_add`, `set_bit` and other void atomics | relaxed RMW that looks at nothing: no read for `smp_rmb` |
//! | `smp_mb__after_atomic` | SC fence, right behind a void atomic and nowhere else: it takes the [`VoidAtomic`] that it stands behind |
//!
//! Code looks at no more of a value than the kernel's does ([`Look`]): a function that returns whether, asks
//! whether. Where the words are stronger or weaker than the kernel's own model, `docs/limits.md` says so.
//! SC *accesses* are not used anywhere.

use crate::sync::{Atomic, FenceOrder, Lane, LoadOrder, Look, Rmw, RmwOrder, StoreOrder, Word};

/// `READ_ONCE` of a value that nobody dereferences.
#[track_caller]
pub fn read_once<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>) -> T {
    cell.load(cpu, LoadOrder::Relaxed)
}

/// `READ_ONCE(x) == value`.
#[track_caller]
pub fn read_once_is<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, value: T) -> bool {
    cell.is(cpu, value, LoadOrder::Relaxed)
}

/// `READ_ONCE(x) < limit`, `atomic_read(x) < limit`.
#[track_caller]
pub fn read_once_is_below(cpu: &Lane<'_>, cell: Atomic<i32>, limit: i32) -> bool {
    let look = Look::IsBelow(i64::from(limit));
    cell.look(cpu, LoadOrder::Relaxed, look) != 0
}

/// `test_bit`, of all these bits at once.
#[track_caller]
pub fn read_once_has<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, bits: T) -> bool {
    cell.has_all(cpu, bits, LoadOrder::Relaxed)
}

/// `READ_ONCE` of a value that is dereferenced: the head of an address dependency, where the value leads to an
/// object ([`Word::leads_to`]). Where it does not, nothing is reached through it and nothing is ordered.
///
/// C11 can only express a dependency as an acquire. Stronger than the kernel: later accesses that do not
/// depend on the value are ordered too.
#[track_caller]
pub fn read_once_dereferenced<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>) -> T {
    cell.load(cpu, LoadOrder::Dependency)
}

/// `WRITE_ONCE`.
#[track_caller]
pub fn write_once<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, value: T) {
    cell.store(cpu, value, StoreOrder::Relaxed);
}

/// `smp_load_acquire`.
#[track_caller]
pub fn smp_load_acquire<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>) -> T {
    cell.load(cpu, LoadOrder::Acquire)
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

/// A void atomic that was just carried out: what `smp_mb__after_atomic` may stand behind.
#[derive(Debug)]
pub struct VoidAtomic(());

/// `smp_mb__after_atomic`: a full barrier between what comes before and with the atomic, and what follows. Away from an
/// atomic the kernel's model lets it order nothing, so that it cannot be asked for there.
#[track_caller]
pub fn smp_mb_after_atomic(cpu: &Lane<'_>, VoidAtomic(()): VoidAtomic) {
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
pub fn atomic_add(cpu: &Lane<'_>, cell: Atomic<i32>, n: i32) -> VoidAtomic {
    cell.update(cpu, Rmw::Add(n.into_word()), RmwOrder::Relaxed);
    VoidAtomic(())
}

/// `set_bit`, of all these bits at once: no value, no order.
#[track_caller]
pub fn set_bit<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, bits: T) -> VoidAtomic {
    cell.update(cpu, Rmw::Or(bits.into_word()), RmwOrder::Relaxed);
    VoidAtomic(())
}

/// `clear_bit`, likewise.
#[track_caller]
pub fn clear_bit<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, bits: T) -> VoidAtomic {
    cell.update(cpu, Rmw::And(!bits.into_word()), RmwOrder::Relaxed);
    VoidAtomic(())
}

/// `atomic_sub_and_test`: subtracts `n`; whether zero is left. Fully ordered in the kernel ([`RmwOrder::Full`]),
/// weaker where a step is knocked out.
#[track_caller]
pub fn atomic_sub_and_test(cpu: &Lane<'_>, cell: Atomic<i32>, n: i32, order: RmwOrder) -> bool {
    let subtract = Rmw::Add(n.wrapping_neg().into_word());
    cell.rmw_look(cpu, subtract, order, Look::Is(n.into_word())) != 0
}

/// `atomic_inc_and_test`, of a count that starts at `least`: adds one; whether it was `least` before. Fully ordered in the
/// kernel, where counts that it is used of start at -1; weaker where a step is knocked out.
#[track_caller]
pub fn atomic_inc_and_test(cpu: &Lane<'_>, cell: Atomic<i32>, least: i32, order: RmwOrder) -> bool {
    let add = Rmw::Add(1_i32.into_word());
    cell.rmw_look(cpu, add, order, Look::Is(least.into_word())) != 0
}

/// `atomic_add_unless`: adds `n` unless the value is `unless`; whether it did. It looks first: refused, it never gets to
/// its locked instruction, and orders nothing on any architecture. `order` holds on success only ([`RmwOrder::Full`] in the kernel; weaker where a step is knocked out).
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
    cell.try_update(cpu, rmw, order)
}

/// `atomic_cmpxchg`: fully ordered on success; whether it exchanged. Refused it promises nothing, but on x86 it has been
/// a locked instruction all the same, and drains the store buffer.
#[track_caller]
pub fn atomic_cmpxchg<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, expected: T, new: T) -> bool {
    let rmw = Rmw::CompareExchange {
        expected: expected.into_word(),
        new: new.into_word(),
    };
    cell.try_update(cpu, rmw, RmwOrder::Full)
}

/// `xchg` with the order that a profile gives it; returns the old value, all of it.
#[track_caller]
pub fn xchg<T: Word>(cpu: &Lane<'_>, cell: Atomic<T>, value: T, order: RmwOrder) -> T {
    cell.swap(cpu, value, order)
}
