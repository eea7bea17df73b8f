//! One point in a CPU's code, and what the CPU holds there.

use gupcheck_program::Returned;
use gupcheck_sync::{Fault, LockId, LockMode, Op, SectionSet};

/// Which node of a [`Forest`](crate::Forest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a CPU does at a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// It asks for an operation.
    Asks(Op),
    /// It has returned.
    Returned(Returned),
    /// It broke a rule.
    Faulted(Fault),
    /// Its code panicked.
    Panicked(String),
    /// A round of a loop failed, and executions in which one does are left out.
    Retries,
}

impl What {
    /// The operation that is asked for.
    pub const fn op(&self) -> Option<Op> {
        match self {
            Self::Asks(op) => Some(*op),
            Self::Returned(_) | Self::Faulted(_) | Self::Panicked(_) | Self::Retries => None,
        }
    }
}

/// What a CPU has taken and not given back, by its own code's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Held {
    /// Locks, sorted; one that is taken twice is there twice.
    pub locks: Vec<(LockId, bool)>,
    /// Sections.
    pub sections: SectionSet,
}

impl Held {
    /// What is held after `op`. Where something is dropped that is not held, nothing changes: whoever explores finds
    /// that out.
    #[must_use]
    pub fn after(&self, op: &Op) -> Self {
        let mut held = self.clone();
        match *op {
            Op::Lock { lock, mode } => {
                let taken = (lock, mode == LockMode::Exclusive);
                let place = held.locks.partition_point(|&other| other < taken);
                held.locks.insert(place, taken);
            }
            Op::Unlock { lock, mode } => {
                let dropped = (lock, mode == LockMode::Exclusive);
                if let Some(place) = held.locks.iter().position(|&other| other == dropped) {
                    held.locks.remove(place);
                }
            }
            Op::Enter(kind) => held.sections = held.sections.with(kind),
            Op::Leave(kind) => held.sections = held.sections.without(kind),
            _ => {}
        }
        held
    }

    /// Whether a lock is held in this mode.
    pub fn has(&self, lock: LockId, mode: LockMode) -> bool {
        self.locks.contains(&(lock, mode == LockMode::Exclusive))
    }
}
