//! Violations that the model notices by itself, while a CPU runs.

use super::{CellId, LaneId, LockId, SectionId};

/// A rule that a CPU broke, noticed at the very operation that broke it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Something was looked at after it was freed.
    UseAfterFree {
        /// Its lifetime.
        life: CellId,
    },
    /// Something was freed twice in one life.
    DoubleFree {
        /// Its lifetime.
        life: CellId,
    },
    /// An assertion of the code under test.
    Bug {
        /// What does not hold, in that code's terms.
        what: &'static str,
        /// The cell whose value shows it.
        cell: Option<CellId>,
    },
    /// A CPU came to its end with a lock that it took and did not drop.
    EndsHolding {
        /// The CPU.
        lane: LaneId,
        /// The lock.
        lock: LockId,
    },
    /// A CPU came to its end inside a section: with interrupts off, under RCU.
    EndsInside {
        /// The CPU.
        lane: LaneId,
        /// The kind of section.
        section: SectionId,
    },
}

impl Fault {
    /// The cell concerned.
    pub const fn cell(&self) -> Option<CellId> {
        match *self {
            Self::UseAfterFree { life } | Self::DoubleFree { life } => Some(life),
            Self::Bug { cell, .. } => cell,
            Self::EndsHolding { .. } | Self::EndsInside { .. } => None,
        }
    }
}
