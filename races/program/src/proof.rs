//! Whether what forbids one execution helps against all: the program is searched once more, with the barrier in its code.
//!
//! A place is between two steps, and a barrier at the one's line is not always as good as one at the other's: a fence right behind what is
//! read first, say, orders all reads after it, and in other executions these are others. So it is tried at both ends, and the better
//! end counts.
//!
//! Where none of the weakest helps against all, the full barriers are tried, until one does: that is told first then.

use std::sync::Arc;

use gupcheck_sync::Event;

use crate::insert::Insert;
use crate::limits::Limits;
use crate::program::Program;
use crate::remedy::{Place, Proof, Remedies, Remedy};
use crate::verdict::{Exploration, Verdict};
use crate::violation::Violation;

/// Executions of each search. No clock: what is said is the same on every machine.
pub const MOST_EXECUTIONS: u64 = 5_000;

/// What each search may cost.
pub const LIMITS: Limits = Limits {
    executions: Some(MOST_EXECUTIONS),
    time: None,
    memory: None,
};

/// Searches for what is said to forbid the execution that was told as this trace. `program` makes the program once more, and
/// `explored` searches within the [limits](LIMITS).
pub fn proved(
    remedies: Remedies,
    trace: &[Event],
    program: impl Fn() -> Program,
    mut explored: impl FnMut(&Arc<Program>) -> Exploration,
) -> Remedies {
    let Remedies::Any(any) = remedies else {
        return remedies;
    };
    let (weakest, stronger): (Vec<_>, Vec<_>) =
        any.into_iter().partition(|remedy| remedy.is_weakest);
    let mut told = Vec::new();
    let mut tried = |mut remedy: Remedy| {
        (remedy.proof, remedy.is_early) = best_proof(&remedy, trace, &program, &mut explored);
        remedy
    };
    for remedy in weakest.into_iter().take(Remedies::MOST) {
        told.push(tried(remedy));
    }
    let helps = |remedy: &Remedy| matches!(remedy.proof, Proof::Never { .. });
    if !told.iter().any(helps) {
        told.extend(stronger.into_iter().map(tried).find(helps));
    }
    // Those that help come first, and otherwise the weakest.
    told.sort_by_key(|remedy| !helps(remedy));
    told.truncate(Remedies::MOST);
    Remedies::Any(told)
}

/// The better of what searches with the barrier at either end of its place come to.
fn best_proof(
    remedy: &Remedy,
    trace: &[Event],
    program: &impl Fn() -> Program,
    explored: &mut impl FnMut(&Arc<Program>) -> Exploration,
) -> (Proof, bool) {
    let mut best = (Proof::NotTried, false);
    for is_early in [false, true] {
        let Some(inserts) = inserts(remedy, trace, is_early) else {
            break;
        };
        let mut with = program();
        for insert in inserts {
            with.insert(insert);
        }
        let with = Arc::new(with);
        let proof = of(&with, &explored(&with));
        if is_better(&proof, &best.0) {
            best = (proof, is_early);
        }
        let has_one_end = |place: &Place| place.barrier.fence().is_none();
        if matches!(best.0, Proof::Never { .. }) || remedy.places.iter().all(has_one_end) {
            break;
        }
    }
    best
}

fn inserts(remedy: &Remedy, trace: &[Event], is_early: bool) -> Option<Vec<Insert>> {
    let places = remedy.places.iter();
    places
        .map(|place| Insert::at(trace, place, is_early))
        .collect()
}

fn of(program: &Program, exploration: &Exploration) -> Proof {
    let executions = exploration.executions;
    match &exploration.verdict {
        Verdict::Complete => Proof::Never { executions },
        Verdict::Truncated(_) => Proof::Unfinished { executions },
        Verdict::Unsupported(_) => Proof::NotTried,
        Verdict::Failed(found) => match &found.violation {
            // All was explored, and no execution breaks a rule.
            Violation::Vacuous { .. } => Proof::Never { executions },
            violation => Proof::Others {
                rule: violation.rule(program),
            },
        },
    }
}

fn is_better(proof: &Proof, than: &Proof) -> bool {
    let rank = |proof: &Proof| match proof {
        Proof::NotTried => 0,
        Proof::Others { .. } => 1,
        Proof::Unfinished { .. } => 2,
        Proof::Never { .. } => 3,
    };
    rank(proof) > rank(than)
}
