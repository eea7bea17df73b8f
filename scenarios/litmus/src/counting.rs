//! A CPU's operations, numbered.

use gupcheck_sync::{Backend, Depends, Fault, LaneId, Note, Op, Site};
use std::cell::Cell;

/// Stands between a CPU and the engine, and counts.
pub(crate) struct Counting<'c> {
    engine: &'c dyn Backend,
    done: Cell<u32>,
}

impl<'c> Counting<'c> {
    pub(crate) const fn new(engine: &'c dyn Backend) -> Self {
        let done = Cell::new(0);
        Self { engine, done }
    }

    /// The operation that was carried out last, as a bit; none, if it has no bit.
    pub(crate) fn last(&self) -> u32 {
        let nth = self.done.get().wrapping_sub(1);
        1_u32.checked_shl(nth).unwrap_or(0)
    }
}

impl Backend for Counting<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        let answer = self.engine.perform(lane, op, site);
        self.done.update(|done| done + 1);
        answer
    }

    fn depends(&self, lane: LaneId, on: Depends) {
        self.engine.depends(lane, on);
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        self.engine.note(lane, note, site);
    }

    fn fault(&self, lane: LaneId, fault: Fault, site: Site) -> ! {
        self.engine.fault(lane, fault, site)
    }
}
