//! Where a debugger can stop; see `docs/replay.md`.
//!
//! Functions that do nothing, are never inlined, and are called only while an execution is replayed.

use std::hint::black_box;

use gupcheck_sync::{LaneId, Op, Site};

use crate::Counterexample;

/// CPU `lane` is about to do `op`: its kernel functions are on the stack.
///
/// Called by the graph engine, in the order of the schedule.
#[inline(never)]
pub fn gupcheck_operation(lane: LaneId, op: &Op, site: Site) {
    black_box((lane, op, site));
}

/// The replayed execution has broken a rule.
#[inline(never)]
pub fn gupcheck_violation(counterexample: &Counterexample) {
    black_box(counterexample);
}
