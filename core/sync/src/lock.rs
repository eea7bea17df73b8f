//! Handles to declared locks.
//!
//! Locks order as arm64's do: taking one acquires, dropping it releases. Code may drop a lock in
//! another function than took it, so beside the guards there are bare `lock`/`unlock` pairs.

use super::{Lane, LockId, LockMode, Op};

/// A spin lock, or any lock with a single holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpinLock {
    id: LockId,
}

impl SpinLock {
    pub(super) const fn of(id: LockId) -> Self {
        Self { id }
    }

    /// Which lock this is.
    pub const fn id(self) -> LockId {
        self.id
    }

    /// Waits for the lock and takes it.
    #[track_caller]
    pub fn lock(self, lane: &Lane<'_>) {
        lane.perform(Op::Lock {
            lock: self.id,
            mode: LockMode::Exclusive,
        });
    }

    /// Drops the lock.
    #[track_caller]
    pub fn unlock(self, lane: &Lane<'_>) {
        lane.perform(Op::Unlock {
            lock: self.id,
            mode: LockMode::Exclusive,
        });
    }
}

/// A reader-writer lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RwLock {
    id: LockId,
}

impl RwLock {
    pub(super) const fn of(id: LockId) -> Self {
        Self { id }
    }

    /// Which lock this is.
    pub const fn id(self) -> LockId {
        self.id
    }

    /// Waits for the lock and takes it in `mode`.
    #[track_caller]
    pub fn lock(self, lane: &Lane<'_>, mode: LockMode) {
        lane.perform(Op::Lock {
            lock: self.id,
            mode,
        });
    }

    /// Drops the lock, which was taken in `mode`.
    #[track_caller]
    pub fn unlock(self, lane: &Lane<'_>, mode: LockMode) {
        lane.perform(Op::Unlock {
            lock: self.id,
            mode,
        });
    }
}
