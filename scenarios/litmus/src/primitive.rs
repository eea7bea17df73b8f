//! The kernel's words, by name: what each does, in the facade's terms.
//!
//! The mapping is the project's one mapping of kernel primitives onto C11 orderings:
//! value-returning atomics without a suffix are fully ordered where they succeed and order nothing
//! where they refuse; atomics that return nothing are relaxed; `smp_mb` and its kin are SC fences,
//! `smp_rmb` and `smp_wmb` acquire and release fences.

use crate::ir::{Barrier, Change, Gives};
use gupcheck_sync::{LoadOrder, RmwOrder, StoreOrder};

/// How a call names the location it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// By an lvalue: `READ_ONCE(*x)`.
    Lvalue,
    /// By a pointer: `smp_load_acquire(x)`.
    Pointer,
}

/// In which order a read-modify-write takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// `atomic_inc(v)`.
    Pointer,
    /// `atomic_add(i, v)`.
    ValuePointer,
    /// `xchg(v, i)`.
    PointerValue,
    /// `cmpxchg(v, old, new)`.
    PointerTwo,
}

impl Arguments {
    /// How many there are.
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Pointer => 1,
            Self::ValuePointer | Self::PointerValue => 2,
            Self::PointerTwo => 3,
        }
    }
}

/// The change a read-modify-write makes; its operands are the call's arguments, or fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    Subtract,
    Increment,
    Decrement,
    And,
    AndNot,
    Or,
    Xor,
    Swap,
    CompareExchange,
    AddUnless,
    IncrementNotZero,
}

impl Kind {
    /// The change itself, from the operands that the call gives (`None` where it gives too few).
    pub(crate) fn change<E: From<i64>>(self, operands: Vec<E>) -> Option<Change<E>> {
        let mut operands = operands.into_iter();
        let mut next = || operands.next();
        Some(match self {
            Self::Add => Change::Add(next()?),
            Self::Subtract => Change::Subtract(next()?),
            Self::Increment => Change::Add(1.into()),
            Self::Decrement => Change::Subtract(1.into()),
            Self::And => Change::And(next()?),
            Self::AndNot => Change::AndNot(next()?),
            Self::Or => Change::Or(next()?),
            Self::Xor => Change::Xor(next()?),
            Self::Swap => Change::Swap(next()?),
            Self::CompareExchange => Change::CompareExchange(next()?, next()?),
            Self::AddUnless => Change::AddUnless(next()?, next()?),
            Self::IncrementNotZero => Change::AddUnless(1.into(), 0.into()),
        })
    }
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Load(Named, LoadOrder),
    Store(Named, StoreOrder),
    /// `smp_store_mb`: a relaxed store and a full barrier.
    StoreThenBarrier,
    Rmw(Kind, Arguments, RmwOrder, Gives),
    TryCompareExchange(RmwOrder),
    Fence(Barrier),
    SpinLock,
    SpinUnlock,
    SpinTrylock,
    SpinIsLocked,
    RcuReadLock,
    RcuReadUnlock,
    SynchronizeRcu,
    SrcuReadLock,
    SrcuReadUnlock,
    SynchronizeSrcu,
}

impl Primitive {
    /// How many arguments it takes.
    pub(crate) const fn arguments(self) -> usize {
        match self {
            Self::Fence(_) | Self::RcuReadLock | Self::RcuReadUnlock | Self::SynchronizeRcu => 0,
            Self::Load(..)
            | Self::SpinLock
            | Self::SpinUnlock
            | Self::SpinTrylock
            | Self::SpinIsLocked
            | Self::SrcuReadLock
            | Self::SynchronizeSrcu => 1,
            Self::Store(..) | Self::StoreThenBarrier | Self::SrcuReadUnlock => 2,
            Self::Rmw(_, arguments, ..) => arguments.count(),
            Self::TryCompareExchange(_) => 3,
        }
    }
}

/// What the kernel function (or macro) of this name does, if it has a meaning here.
pub(crate) fn primitive(name: &str) -> Option<Primitive> {
    use Primitive as P;
    Some(match name {
        // ORDERING: where its value is dereferenced, and only there, `flow` makes this an acquire.
        "READ_ONCE" | "rcu_dereference" => P::Load(Named::Lvalue, LoadOrder::Relaxed),
        "smp_load_acquire" | "atomic_read_acquire" => P::Load(Named::Pointer, LoadOrder::Acquire),
        "atomic_read" => P::Load(Named::Pointer, LoadOrder::Relaxed),
        "WRITE_ONCE" => P::Store(Named::Lvalue, StoreOrder::Relaxed),
        "rcu_assign_pointer" => P::Store(Named::Lvalue, StoreOrder::Release),
        "smp_store_release" | "atomic_set_release" => P::Store(Named::Pointer, StoreOrder::Release),
        "atomic_set" => P::Store(Named::Pointer, StoreOrder::Relaxed),
        "smp_store_mb" => P::StoreThenBarrier,
        "smp_mb" => P::Fence(Barrier::Full),
        "smp_mb__before_atomic" => P::Fence(Barrier::BeforeAtomic),
        "smp_mb__after_atomic" => P::Fence(Barrier::AfterAtomic),
        "smp_mb__after_spinlock" => P::Fence(Barrier::AfterSpinlock),
        "smp_mb__after_unlock_lock" => P::Fence(Barrier::AfterUnlockLock),
        "smp_mb__after_srcu_read_unlock" => P::Fence(Barrier::AfterSrcuUnlock),
        "smp_rmb" => P::Fence(Barrier::Read),
        "smp_wmb" => P::Fence(Barrier::Write),
        "barrier" => P::Fence(Barrier::Compiler),
        "spin_lock" => P::SpinLock,
        "spin_unlock" => P::SpinUnlock,
        "spin_trylock" => P::SpinTrylock,
        "spin_is_locked" => P::SpinIsLocked,
        "rcu_read_lock" => P::RcuReadLock,
        "rcu_read_unlock" => P::RcuReadUnlock,
        "synchronize_rcu" | "synchronize_rcu_expedited" => P::SynchronizeRcu,
        "srcu_read_lock" | "srcu_down_read" => P::SrcuReadLock,
        "srcu_read_unlock" | "srcu_up_read" => P::SrcuReadUnlock,
        "synchronize_srcu" | "synchronize_srcu_expedited" => P::SynchronizeSrcu,
        _ => return rmw(name),
    })
}

/// The read-modify-writes: a family name and, where a value comes back, an ordering suffix.
fn rmw(name: &str) -> Option<Primitive> {
    let atomic = name.strip_prefix("atomic_");
    if let Some(void) = atomic.and_then(void_family) {
        return Some(void);
    }
    let (family, order) = suffix(atomic.unwrap_or(name));
    match family {
        "xchg" => Some(Primitive::Rmw(
            Kind::Swap,
            Arguments::PointerValue,
            order,
            Gives::Old,
        )),
        "cmpxchg" => Some(Primitive::Rmw(
            Kind::CompareExchange,
            Arguments::PointerTwo,
            order,
            Gives::Old,
        )),
        "try_cmpxchg" => Some(Primitive::TryCompareExchange(order)),
        _ => {
            atomic?;
            let suffixed = order != RmwOrder::Full;
            value_family(family, order)
                .or_else(|| (!suffixed).then(|| conditional_family(family)).flatten())
        }
    }
}

/// `name` without its ordering suffix, and the ordering that the suffix says.
fn suffix(name: &str) -> (&str, RmwOrder) {
    for (suffix, order) in [
        ("_relaxed", RmwOrder::Relaxed),
        ("_acquire", RmwOrder::Acquire),
        ("_release", RmwOrder::Release),
    ] {
        if let Some(family) = name.strip_suffix(suffix) {
            return (family, order);
        }
    }
    (name, RmwOrder::Full)
}

/// What `add`, `inc`, `and`.. do, and where they take their arguments.
fn arithmetic(verb: &str) -> Option<(Kind, Arguments)> {
    Some(match verb {
        "add" => (Kind::Add, Arguments::ValuePointer),
        "sub" => (Kind::Subtract, Arguments::ValuePointer),
        "inc" => (Kind::Increment, Arguments::Pointer),
        "dec" => (Kind::Decrement, Arguments::Pointer),
        _ => return None,
    })
}

/// As [`arithmetic`], for the bitwise ones.
fn bitwise(verb: &str) -> Option<(Kind, Arguments)> {
    let kind = match verb {
        "and" => Kind::And,
        "andnot" => Kind::AndNot,
        "or" => Kind::Or,
        "xor" => Kind::Xor,
        _ => return None,
    };
    Some((kind, Arguments::ValuePointer))
}

/// Those that return nothing: relaxed, and without a suffix.
fn void_family(verb: &str) -> Option<Primitive> {
    let (kind, arguments) = arithmetic(verb).or_else(|| bitwise(verb))?;
    Some(Primitive::Rmw(
        kind,
        arguments,
        RmwOrder::Relaxed,
        Gives::Nothing,
    ))
}

/// `*_return` and `fetch_*`, and `add_negative`: those that take every suffix.
fn value_family(family: &str, order: RmwOrder) -> Option<Primitive> {
    if family == "add_negative" {
        let (kind, arguments) = arithmetic("add")?;
        return Some(Primitive::Rmw(kind, arguments, order, Gives::IsNegative));
    }
    let (found, gives) = if let Some(verb) = family.strip_suffix("_return") {
        (arithmetic(verb), Gives::New)
    } else if let Some(verb) = family.strip_prefix("fetch_") {
        (arithmetic(verb).or_else(|| bitwise(verb)), Gives::Old)
    } else {
        (None, Gives::Old)
    };
    let (kind, arguments) = found?;
    Some(Primitive::Rmw(kind, arguments, order, gives))
}

/// Those that return what a test of the outcome says; the kernel has them fully ordered only.
fn conditional_family(family: &str) -> Option<Primitive> {
    let (kind, arguments, gives) = match family {
        "sub_and_test" => (Kind::Subtract, Arguments::ValuePointer, Gives::IsZero),
        "dec_and_test" => (Kind::Decrement, Arguments::Pointer, Gives::IsZero),
        "inc_and_test" => (Kind::Increment, Arguments::Pointer, Gives::IsZero),
        "add_unless" => (Kind::AddUnless, Arguments::PointerTwo, Gives::Written),
        "fetch_add_unless" => (Kind::AddUnless, Arguments::PointerTwo, Gives::Old),
        "inc_not_zero" => (Kind::IncrementNotZero, Arguments::Pointer, Gives::Written),
        _ => return None,
    };
    Some(Primitive::Rmw(kind, arguments, RmwOrder::Full, gives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_say_the_order_and_their_absence_says_full() {
        let order = |name| match primitive(name) {
            Some(Primitive::Rmw(.., order, _) | Primitive::TryCompareExchange(order)) => {
                Some(order)
            }
            _ => None,
        };
        assert_eq!(order("xchg"), Some(RmwOrder::Full));
        assert_eq!(order("xchg_relaxed"), Some(RmwOrder::Relaxed));
        assert_eq!(order("atomic_cmpxchg_acquire"), Some(RmwOrder::Acquire));
        assert_eq!(
            order("atomic_fetch_andnot_release"),
            Some(RmwOrder::Release)
        );
        assert_eq!(order("atomic_try_cmpxchg"), Some(RmwOrder::Full));
        assert_eq!(order("atomic_add_return"), Some(RmwOrder::Full));
        assert_eq!(order("atomic_inc"), Some(RmwOrder::Relaxed));
        assert_eq!(order("atomic_dec_and_test"), Some(RmwOrder::Full));
    }

    #[test]
    fn names_that_the_kernel_does_not_have_have_no_meaning() {
        for name in [
            "atomic_inc_relaxed",
            "atomic_and_return",
            "add_return",
            "atomic_dec_and_test_acquire",
            "atomic_add_unless_relaxed",
            "atomic_mul",
            "fetch_add",
            "smp_foo",
        ] {
            assert_eq!(primitive(name), None, "{name}");
        }
    }
}
