//! A CPU's operations, numbered; and which sorts of them there were.

use crate::ir::Barrier;
use gupcheck_sync::{Backend, Depends, Fault, LaneId, Note, Op, Site};
use std::cell::Cell;

/// Stands between a CPU and the engine, and counts.
pub(crate) struct Counting<'c> {
    engine: &'c dyn Backend,
    done: Cell<u32>,
    has_updated: Cell<bool>,
    has_locked: Cell<bool>,
    has_left: Cell<bool>,
}

impl<'c> Counting<'c> {
    pub(crate) const fn new(engine: &'c dyn Backend) -> Self {
        Self {
            engine,
            done: Cell::new(0),
            has_updated: Cell::new(false),
            has_locked: Cell::new(false),
            has_left: Cell::new(false),
        }
    }

    /// Whether what a barrier stands behind, by its name, was there. A lock that can be tried is taken by an update.
    pub(crate) fn has_met(&self, barrier: Barrier) -> bool {
        match barrier {
            Barrier::AfterAtomic => self.has_updated.get(),
            Barrier::AfterSpinlock => self.has_locked.get() || self.has_updated.get(),
            Barrier::AfterSrcuUnlock => self.has_left.get(),
            _ => true,
        }
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
        match op {
            Op::Rmw { .. } => self.has_updated.set(true),
            Op::Lock { .. } => self.has_locked.set(true),
            Op::Leave(_) => self.has_left.set(true),
            _ => {}
        }
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
