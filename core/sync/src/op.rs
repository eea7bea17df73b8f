//! The operations a CPU can ask of an engine, as plain data.
//!
//! An [`Op`] says everything that an engine may want to know before it carries the operation out:
//! which object, which ordering, and for a read-modify-write what will be written for each value
//! that could be read. Nothing here is a closure, so that an engine can compare, hash, print and
//! re-evaluate operations.

use super::{CellId, LaneId, LockId, Look, SectionId, SectionSet};
use std::fmt;

/// How a load orders what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoadOrder {
    /// No order beyond coherence.
    Relaxed,
    /// Synchronises with the release store it reads from.
    Acquire,
    /// The head of an address dependency: what is reached through the value is accessed after it was read. A value
    /// that leads to nothing ([`CellDecl::leads_to`](super::CellDecl::leads_to)) has no dependency, and orders
    /// nothing: what its reader does next it does because of a branch.
    ///
    /// Engines carry it as an acquire where the value leads somewhere, and as relaxed elsewhere. Whoever asks less than
    /// the value gets no address: such an operation is [adrift](Op::is_adrift), and a fault.
    Dependency,
}

impl LoadOrder {
    /// Whether a load that got a value which `leads` somewhere, or not, acquires.
    pub const fn acquires(self, leads: bool) -> bool {
        match self {
            Self::Relaxed => false,
            Self::Acquire => true,
            Self::Dependency => leads,
        }
    }
}

/// How a store orders what precedes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreOrder {
    /// No order beyond coherence.
    Relaxed,
    /// Synchronises with the acquire loads that read from it.
    Release,
}

/// How a read-modify-write orders what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RmwOrder {
    /// No order beyond coherence and atomicity.
    Relaxed,
    /// The read half acquires.
    Acquire,
    /// The write half releases.
    Release,
    /// Both.
    AcqRel,
    /// Fully ordered, as Linux has it: an SC fence, an acquire-release RMW, an SC fence, as **one**
    /// operation. Where a conditional RMW refuses, nothing is promised, and an engine that can
    /// drops the fences; one that cannot (loom) executes them regardless, which is stronger. What hardware does then
    /// is [`Rmw::is_carried_out_when_refused`].
    Full,
}

impl RmwOrder {
    /// Whether the read half acquires (on success).
    pub const fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::Full)
    }

    /// Whether the write half releases.
    pub const fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::Full)
    }
}

/// What a fence orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FenceOrder {
    /// Earlier loads before everything later; a void atomic ([`Op::is_void`]) is no load.
    Acquire,
    /// Everything earlier before later stores.
    Release,
    /// Acquire and release, and a place in the one order of all SC fences.
    SeqCst,
}

/// A read-modify-write: what is written, if anything, for each value read.
///
/// All arithmetic wraps on 64 bits; signed counters are kept sign-extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rmw {
    /// `fetch_add` (subtraction adds the two's complement).
    Add(u64),
    /// Unconditional exchange.
    Swap(u64),
    /// `fetch_and`.
    And(u64),
    /// `fetch_or`.
    Or(u64),
    /// `fetch_xor`.
    Xor(u64),
    /// Writes `new` if the value read is `expected`.
    CompareExchange {
        /// The value that lets the exchange happen.
        expected: u64,
        /// The value then written.
        new: u64,
    },
    /// Adds unless the value read is `unless`: `atomic_add_unless`.
    AddUnless {
        /// The addend.
        add: u64,
        /// The value that refuses.
        unless: u64,
    },
    /// Sets bits if all of them were clear: `test_and_set_bit_lock`.
    OrIfClear(u64),
}

impl Rmw {
    /// The value written if `old` is read; `None` if the condition refuses.
    pub const fn apply(self, old: u64) -> Option<u64> {
        match self {
            Self::Add(n) => Some(old.wrapping_add(n)),
            Self::Swap(new) => Some(new),
            Self::And(mask) => Some(old & mask),
            Self::Or(mask) => Some(old | mask),
            Self::Xor(mask) => Some(old ^ mask),
            Self::CompareExchange { expected, new } if old == expected => Some(new),
            Self::AddUnless { add, unless } if old != unless => Some(old.wrapping_add(add)),
            Self::OrIfClear(bits) if old & bits == 0 => Some(old | bits),
            Self::CompareExchange { .. } | Self::AddUnless { .. } | Self::OrIfClear(_) => None,
        }
    }

    /// Whether some value could make it refuse.
    pub const fn is_conditional(self) -> bool {
        matches!(
            self,
            Self::CompareExchange { .. } | Self::AddUnless { .. } | Self::OrIfClear(_)
        )
    }

    /// Whether one that is refused has been carried out as an atomic instruction all the same: x86's `lock cmpxchg`
    /// and `lock bts` are full barriers whatever they find. `atomic_add_unless` never gets to its instruction: it
    /// looks first, and goes no further. An unconditional one is never refused.
    pub const fn is_carried_out_when_refused(self) -> bool {
        matches!(self, Self::CompareExchange { .. } | Self::OrIfClear(_))
    }

    /// Whether it is one of those that exist without a return value (`atomic_add`, `set_bit`); an exchange always
    /// returns what was there.
    pub const fn may_be_void(self) -> bool {
        matches!(
            self,
            Self::Add(_) | Self::And(_) | Self::Or(_) | Self::Xor(_)
        )
    }

    /// Its condition as a question to the value read, and whether it is done where the answer is yes; `None` if it
    /// has none.
    pub const fn condition(self) -> Option<(Look, bool)> {
        match self {
            Self::CompareExchange { expected, .. } => Some((Look::Is(expected), true)),
            Self::AddUnless { unless, .. } => Some((Look::Is(unless), false)),
            Self::OrIfClear(bits) => Some((Look::HasAny(bits), false)),
            _ => None,
        }
    }

    /// The operation's short name, as shown in a trace.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Add(n) if (n as i64) < 0 => "sub",
            Self::Add(_) => "add",
            Self::Swap(_) => "xchg",
            Self::And(_) => "and",
            Self::Or(_) => "or",
            Self::Xor(_) => "xor",
            Self::CompareExchange { .. } => "cmpxchg",
            Self::AddUnless { .. } => "add_unless",
            Self::OrIfClear(_) => "test_and_set",
        }
    }
}

/// What a CPU waits for in [`Op::SpinUntil`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Until {
    /// The value is this.
    Equals(u64),
    /// The value is anything but this.
    Differs(u64),
    /// All these bits are clear.
    AllClear(u64),
    /// All these bits are set.
    AllSet(u64),
}

impl Until {
    /// Whether `value` ends the wait.
    pub const fn is_met_by(self, value: u64) -> bool {
        match self {
            Self::Equals(v) => value == v,
            Self::Differs(v) => value != v,
            Self::AllClear(bits) => value & bits == 0,
            Self::AllSet(bits) => value & bits == bits,
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(v) => write!(f, "== {v:#x}"),
            Self::Differs(v) => write!(f, "!= {v:#x}"),
            Self::AllClear(bits) => write!(f, "& {bits:#x} == 0"),
            Self::AllSet(bits) => write!(f, "& {bits:#x} == {bits:#x}"),
        }
    }
}

/// How a lock is held. A mutex or spin lock is only ever held exclusively.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockMode {
    /// One holder.
    Exclusive,
    /// Any number of shared holders, and no exclusive one.
    Shared,
}

/// One operation of one CPU.
///
/// Locks acquire when taken and release when dropped, and order nothing else (arm64's `spin_lock`,
/// not x86's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// An atomic load.
    Load {
        /// What is read.
        cell: CellId,
        /// Its ordering.
        order: LoadOrder,
        /// What the code looks at.
        look: Look,
    },
    /// An atomic store.
    Store {
        /// What is written.
        cell: CellId,
        /// Its ordering.
        order: StoreOrder,
        /// The value.
        value: u64,
    },
    /// An atomic read-modify-write, conditional or not.
    Rmw {
        /// What is changed.
        cell: CellId,
        /// Its ordering, on success; a refused RMW is a relaxed load, but see
        /// [`Rmw::is_carried_out_when_refused`].
        order: RmwOrder,
        /// The change.
        rmw: Rmw,
        /// What the code looks at, of the value before the change.
        look: Look,
    },
    /// A plain read: one that races with an unordered plain write is a violation.
    Read {
        /// What is read.
        cell: CellId,
    },
    /// A plain write: one that races with any unordered plain access is a violation.
    Write {
        /// What is written.
        cell: CellId,
        /// The value.
        value: u64,
    },
    /// A fence.
    Fence(FenceOrder),
    /// Waits for a lock and takes it.
    Lock {
        /// The lock.
        lock: LockId,
        /// How it is taken.
        mode: LockMode,
    },
    /// Drops a lock that this CPU holds.
    Unlock {
        /// The lock.
        lock: LockId,
        /// How it was held.
        mode: LockMode,
    },
    /// Loads until the value read meets the condition; only that last load is an event.
    SpinUntil {
        /// What is read.
        cell: CellId,
        /// The ordering of the last load.
        order: LoadOrder,
        /// The condition.
        until: Until,
        /// What the code looks at, of the value that ended the wait.
        look: Look,
    },
    /// Begins a section. What that means is what [`Section`](super::Section) promises; by itself it orders nothing.
    Enter(SectionId),
    /// Ends a section; likewise.
    Leave(SectionId),
    /// Waits for the sections of these kinds that other CPUs are in, as [`Section`](super::Section) promises.
    Wait(SectionSet),
    /// Starts a CPU that was declared to start this way.
    Spawn(LaneId),
    /// Waits for a CPU to finish; orders everything it did before what follows.
    Join(LaneId),
}

impl Op {
    /// The cell that the operation touches, if any.
    pub const fn cell(&self) -> Option<CellId> {
        match *self {
            Self::Load { cell, .. }
            | Self::Store { cell, .. }
            | Self::Rmw { cell, .. }
            | Self::Read { cell }
            | Self::Write { cell, .. }
            | Self::SpinUntil { cell, .. } => Some(cell),
            Self::Fence(_)
            | Self::Lock { .. }
            | Self::Unlock { .. }
            | Self::Enter(_)
            | Self::Leave(_)
            | Self::Wait(_)
            | Self::Spawn(_)
            | Self::Join(_) => None,
        }
    }

    /// The lock that the operation takes or drops, if any.
    pub const fn lock(&self) -> Option<LockId> {
        match *self {
            Self::Lock { lock, .. } | Self::Unlock { lock, .. } => Some(lock),
            _ => None,
        }
    }

    /// The kinds of sections that the operation is about; none for most.
    pub const fn sections(&self) -> SectionSet {
        match *self {
            Self::Enter(kind) | Self::Leave(kind) => SectionSet::one(kind),
            Self::Wait(kinds) => kinds,
            _ => SectionSet(0),
        }
    }

    /// What the operation writes, given what it read (anything, where it reads nothing).
    pub const fn written(&self, read: u64) -> Option<u64> {
        match *self {
            Self::Store { value, .. } | Self::Write { value, .. } => Some(value),
            Self::Rmw { rmw, .. } => rmw.apply(read),
            _ => None,
        }
    }

    /// What the code gets to know of the value that the operation read.
    pub const fn answer(&self, read: u64) -> u64 {
        match self {
            Self::Load { look, .. } | Self::Rmw { look, .. } | Self::SpinUntil { look, .. } => {
                look.answer(read)
            }
            Self::Read { .. } => read,
            _ => 0,
        }
    }

    /// Whether it is a void atomic: it changes a value, and nobody gets to know what it was. It is no read that an
    /// acquire fence orders, though one that an SC fence does: Linux's `smp_rmb` does nothing for it, and
    /// arm64's `dmb ishld` does nothing for `stadd`.
    pub const fn is_void(&self) -> bool {
        matches!(
            self,
            Self::Rmw { rmw, look: Look::Nothing, .. } if rmw.may_be_void()
        )
    }

    /// Whether it says that it heads an address dependency, and looks at less than the value. A yes or no is no
    /// address, and would order nothing; as a stronger load than the code has it would hide what the code lacks.
    pub const fn is_adrift(&self) -> bool {
        match *self {
            Self::Load { order, look, .. } | Self::SpinUntil { order, look, .. } => {
                matches!(order, LoadOrder::Dependency) && !matches!(look, Look::Value)
            }
            _ => false,
        }
    }

    /// The question that the code asks of the value read; `None` if nothing is read.
    pub const fn look(&self) -> Option<Look> {
        match *self {
            Self::Load { look, .. } | Self::Rmw { look, .. } | Self::SpinUntil { look, .. } => {
                Some(look)
            }
            Self::Read { .. } => Some(Look::Value),
            _ => None,
        }
    }

    /// Whether the operation reads a cell.
    pub const fn reads(&self) -> bool {
        matches!(
            self,
            Self::Load { .. } | Self::Rmw { .. } | Self::Read { .. } | Self::SpinUntil { .. }
        )
    }
}
