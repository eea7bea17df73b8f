//! A counterexample of loom's with as few preemptions as it takes.
//!
//! loom cannot be told to follow a path that was changed a little: what it does not know from its own search
//! it refuses. But it can be told how often it may interrupt a CPU that could go on. So when a search has
//! come to a violation, the same is searched for with no preemption at all, with one, with two, and the
//! first execution that breaks the same rule is the one to show. That costs at most as many executions as
//! the search did, or [`TRIES`] if they are more.

use super::control::Common;
use super::ladder::{Ended, Ladder};
use gupcheck_program::{Counterexample, Exploration, Extent, Limits, Shrinking, TRIES, Verdict};

/// Searches, and makes what it finds small.
pub(super) fn explored(common: &Common, limits: Limits) -> Exploration {
    let (mut exploration, bound) = Ladder::new(common, limits).climb();
    if let (Verdict::Failed(found), Some(bound)) = (&exploration.verdict, bound) {
        exploration.verdict = Verdict::Failed(minimised(common, found.clone(), bound));
    }
    exploration
}

/// A smaller execution within fewer preemptions than `bound` that breaks the same rule as `found`; or
/// `found` itself.
fn minimised(common: &Common, found: Box<Counterexample>, bound: usize) -> Box<Counterexample> {
    let limits = Limits {
        executions: Some(found.execution.max(TRIES)),
        time: None,
        memory: None,
    };
    let rule = found.violation.rule(&common.program);
    let from = Extent::of_trace(&found.trace);
    let mut ladder = Ladder::new(common, limits);
    let mut shown = found;
    for bound in 0..bound {
        match ladder.rung(bound, ladder.rest()) {
            Ended::Finished => {}
            Ended::Broken(other) if other.violation.rule(&common.program) != rule => {}
            Ended::Broken(small) => {
                if small.schedule.is_some() && Extent::of_trace(&small.trace) < from {
                    shown = Box::new(Counterexample {
                        execution: shown.execution,
                        ..*small
                    });
                }
                break;
            }
            Ended::Cut(_) | Ended::Unsupported(_) => break,
        }
    }
    shown.shrinking = Some(Shrinking {
        from,
        to: Extent::of_trace(&shown.trace),
        tries: ladder.executions(),
    });
    shown
}
