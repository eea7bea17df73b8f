//! What a CPU takes and drops: a declared lock, or a gate.

use gupcheck_program::Program;
use gupcheck_sync::{LaneId, LockId, SectionId};

/// A declared lock, or the gate of one CPU for one kind of section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Door(usize);

impl Door {
    /// The index, for tables of [`Door::count`] entries.
    pub(super) const fn index(self) -> usize {
        self.0
    }

    /// How many a program has.
    pub(super) fn count(program: &Program) -> usize {
        let layout = program.layout();
        layout.locks().len() + program.cpus().len() * layout.sections().len()
    }

    /// A declared lock.
    pub(super) const fn lock(lock: LockId) -> Self {
        Self(lock.index())
    }

    /// What a CPU holds while it is in a section of this kind.
    pub(super) fn gate(program: &Program, lane: LaneId, kind: SectionId) -> Self {
        let layout = program.layout();
        Self(layout.locks().len() + lane.index() * layout.sections().len() + kind.index())
    }
}
