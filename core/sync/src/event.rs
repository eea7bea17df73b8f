//! What happened: the report of every operation, which is the trace.

use super::{LaneId, Note, Op, Site};

/// Where a value that was read came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The cell's initial value.
    Init,
    /// The write by the event at this index of the trace.
    Event(usize),
}

/// What one event was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An operation, reported after it happened.
    Op {
        /// The operation.
        op: Op,
        /// The value read, where it reads.
        read: Option<u64>,
        /// The value written, where it wrote.
        wrote: Option<u64>,
        /// The write that the value read came from, where the engine knows.
        from: Option<Source>,
    },
    /// A store that waited in its CPU's store buffer reached memory. Stores that did not wait have no such event.
    Drain {
        /// Its index in the trace.
        store: usize,
    },
    /// Something the CPU said.
    Note(Note),
}

/// One line of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub lane: LaneId,
    /// What.
    pub what: What,
    /// The source line that asked for it.
    pub site: Site,
}
