//! A failing schedule made small: fewest changes of CPU first, then fewest operations.
//!
//! A schedule is a row of *runs*, each of one CPU. Three things are tried, the most promising first:
//!
//! 1. a run is joined with another of its CPU, at the place of either;
//! 2. a run is left out: what it did is done later, or never;
//! 3. a run changes places with the next one.
//!
//! Each try is an execution that follows the changed schedule as far as it can. It is taken if it breaks
//! the same rule and is smaller; then everything is tried anew. It ends where nothing helps any more, or
//! when the budget is spent.

use gupcheck_core::sync::LaneId;

use super::follow::Guide;
use crate::verdict::Violation;

/// A schedule that was made smaller.
#[derive(Clone, Debug)]
pub(super) struct Shrunk {
    pub(super) schedule: Vec<LaneId>,
    pub(super) tries: usize,
}

/// How large a schedule is: changes of CPU, and operations.
pub(super) fn size(schedule: &[LaneId]) -> (usize, usize) {
    let switches = schedule.windows(2).filter(|pair| pair[0] != pair[1]);
    (switches.count(), schedule.len())
}

/// Whether two violations are of the same rule.
fn same(one: &Violation, other: &Violation) -> bool {
    match (one, other) {
        (Violation::Property { index: a, .. }, Violation::Property { index: b, .. }) => a == b,
        (Violation::Deadlock { .. }, Violation::Deadlock { .. }) => true,
        (one, other) => one == other,
    }
}

/// Makes a schedule smaller that breaks a rule, with at most so many tries.
pub(super) fn shrink(
    guide: &Guide,
    found: &[LaneId],
    violation: &Violation,
    budget: usize,
) -> Shrunk {
    let mut best = found.to_vec();
    let mut tries = 0;
    'anew: loop {
        for candidate in candidates(&best) {
            if tries == budget {
                break 'anew;
            }
            tries += 1;
            let followed = guide.follow(&candidate, false);
            let is_same = followed.violation.is_some_and(|v| same(&v, violation));
            if is_same && size(&followed.schedule) < size(&best) {
                best = followed.schedule;
                continue 'anew;
            }
        }
        break;
    }
    Shrunk {
        schedule: best,
        tries,
    }
}

/// A CPU, and how many operations it does before another has its turn.
type Run = (LaneId, usize);

fn runs(schedule: &[LaneId]) -> Vec<Run> {
    let chunks = schedule.chunk_by(|one, other| one == other);
    chunks.map(|chunk| (chunk[0], chunk.len())).collect()
}

fn schedule(runs: &[Run]) -> Vec<LaneId> {
    let each = |&(lane, length): &Run| std::iter::repeat_n(lane, length);
    runs.iter().flat_map(each).collect()
}

/// Schedules like this one that may be smaller.
fn candidates(best: &[LaneId]) -> impl Iterator<Item = Vec<LaneId>> + use<> {
    let runs = runs(best);
    let joined = joined(&runs);
    let left_out: Vec<_> = (0..runs.len()).map(|nth| without(&runs, nth)).collect();
    let swapped: Vec<_> = (1..runs.len())
        .map(|nth| {
            let mut other = runs.clone();
            other.swap(nth - 1, nth);
            schedule(&other)
        })
        .collect();
    joined.into_iter().chain(left_out).chain(swapped)
}

fn without(runs: &[Run], nth: usize) -> Vec<LaneId> {
    let mut other = runs.to_vec();
    other.remove(nth);
    schedule(&other)
}

/// Every run joined with the next one of its CPU, early and late.
fn joined(runs: &[Run]) -> Vec<Vec<LaneId>> {
    let mut all = Vec::new();
    for (early, &(lane, length)) in runs.iter().enumerate() {
        let later = (early + 1..runs.len()).find(|&late| runs[late].0 == lane);
        let Some(late) = later else { continue };
        for (kept, gone, more) in [(early, late, runs[late].1), (late, early, length)] {
            let mut other = runs.to_vec();
            other[kept].1 += more;
            other.remove(gone);
            all.push(schedule(&other));
        }
    }
    all
}
