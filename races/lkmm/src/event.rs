//! What a CPU does, as the model sees it.

use std::ops::BitOr;

/// How many events one CPU can have.
pub(crate) const MOST_OF_A_CPU: usize = 64;

/// Some earlier reads of the same CPU, by their places in its order: those that something depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads(pub(crate) u64);

impl Reads {
    /// None: what depends on nothing.
    pub const NONE: Self = Self(0);
}

impl BitOr for Reads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How a read is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMark {
    /// Not at all: an ordinary access of C.
    Plain,
    /// `READ_ONCE`, `rcu_dereference`, a relaxed atomic.
    Once,
    /// `smp_load_acquire`, an acquiring atomic.
    Acquire,
    /// The read of an atomic that returns nothing; `smp_rmb` does not see it.
    NoReturn,
    /// `srcu_read_lock`.
    SrcuLock,
    /// The read by which a lock is taken; acquires.
    Lock,
    /// A look at a lock, or an attempt that failed.
    LockSeen,
}

/// How a write is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMark {
    /// Not at all: an ordinary access of C.
    Plain,
    /// `WRITE_ONCE`, a relaxed atomic.
    Once,
    /// `smp_store_release`, `rcu_assign_pointer`, a releasing atomic.
    Release,
    /// `srcu_read_unlock`.
    SrcuUnlock,
    /// The write by which a lock is taken.
    Lock,
    /// The write by which a lock is dropped; releases.
    Unlock,
}

/// What orders without an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// `smp_mb`, and what stands around a fully ordered atomic.
    Full,
    /// `smp_rmb`.
    Read,
    /// `smp_wmb`.
    Write,
    /// `barrier`.
    Compiler,
    /// `smp_mb__before_atomic`.
    BeforeAtomic,
    /// `smp_mb__after_atomic`.
    AfterAtomic,
    /// `smp_mb__after_spinlock`.
    AfterSpinlock,
    /// `smp_mb__after_unlock_lock`.
    AfterUnlockLock,
    /// `smp_mb__after_srcu_read_unlock`.
    AfterSrcuUnlock,
    /// `rcu_read_lock`.
    RcuLock,
    /// `rcu_read_unlock`.
    RcuUnlock,
    /// `synchronize_rcu`.
    RcuWait,
    /// `synchronize_srcu`, of the location that the event has.
    SrcuWait,
}

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read(ReadMark),
    Write(WriteMark),
    Fence(Fence),
}

/// One event of a CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) location: Option<usize>,
    /// What it reads or writes.
    pub(crate) value: i64,
    /// Whether it is, or tries to be, part of a read-modify-write.
    pub(crate) atomic: bool,
    /// The read of the same read-modify-write, for the write of one.
    pub(crate) partner: Option<usize>,
    /// The reads that say where it accesses memory.
    pub(crate) address: Reads,
    /// The reads that say what it writes.
    pub(crate) data: Reads,
    /// The reads that say whether it happens at all.
    pub(crate) control: Reads,
}

impl Event {
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.kind, Kind::Read(_))
    }

    pub(crate) fn is_write(&self) -> bool {
        matches!(self.kind, Kind::Write(_))
    }

    pub(crate) fn is_fence(&self, fence: Fence) -> bool {
        self.kind == Kind::Fence(fence)
    }
}
