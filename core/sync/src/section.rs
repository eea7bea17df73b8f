//! Sections that a CPU is in for a while, and waiting until others have left theirs.
//!
//! # What is promised
//!
//! A *section* is what a CPU does between [`Section::enter`] and [`Section::leave`]. Another CPU may *wait* for
//! a set of kinds ([`Lane::wait_for`]): an inter-processor interrupt that is waited for, a grace period.
//!
//! 1. For every section of another CPU, of a kind that is waited for: all of it, and all that its CPU did before,
//!    comes before the end of the wait; or all of it, and all that its CPU does after, comes after the
//!    wait's beginning.
//! 2. The waiter has a full barrier where the wait begins, and another where it ends.
//!
//! And nothing more. Entering and leaving order nothing by themselves: a store before a section may still wait in its
//! CPU's store buffer inside it, and a load may be done early. Waits neither order nor exclude each other; CPUs
//! answer a wait in any order, and one that has answered may enter again while another one is still waited for.
//! The CPU's own sections are not waited for.
//!
//! Kinds do not exclude each other: a CPU may be in sections of several kinds, entered and left in any order. It is in
//! one section of a kind at a time: code whose sections nest counts them itself, and enters with the outermost.
//!
//! A section that never ends keeps whoever waits for it waiting for ever: a deadlock.

use super::{Lane, Op, SectionId, SectionSet};

/// A kind of section, declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    id: SectionId,
}

impl Section {
    pub(super) const fn of(id: SectionId) -> Self {
        Self { id }
    }

    /// Which kind this is.
    pub const fn id(self) -> SectionId {
        self.id
    }

    /// Begins a section of this kind.
    #[track_caller]
    pub fn enter(self, lane: &Lane<'_>) {
        lane.perform(Op::Enter(self.id));
    }

    /// Ends the section of this kind that the CPU is in.
    #[track_caller]
    pub fn leave(self, lane: &Lane<'_>) {
        lane.perform(Op::Leave(self.id));
    }
}

impl Lane<'_> {
    /// Waits until every other CPU has left the sections of these kinds that it was in.
    #[track_caller]
    pub fn wait_for(&self, kinds: &[Section]) {
        self.perform(Op::Wait(SectionSet::of(kinds)));
    }
}

impl SectionSet {
    /// These kinds.
    pub fn of(kinds: &[Section]) -> Self {
        let bits = kinds.iter().fold(0, |bits, kind| bits | 1 << kind.id.0);
        Self(bits)
    }
}
