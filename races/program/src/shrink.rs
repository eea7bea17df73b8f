//! A failing schedule made small: fewest changes of CPU first, then fewest operations, then fewest stale
//! reads.
//!
//! A schedule is a row of *runs*, each of one CPU. Three things are tried, the most promising first:
//!
//! 1. a run is joined with another of its CPU, at the place of either;
//! 2. a run is left out: what it did is done later, or never;
//! 3. a run changes places with the next one;
//! 4. everything that is stale takes what is newest, or one thing does.
//!
//! Each try is an execution that follows the changed schedule as far as it can. It is taken if it breaks
//! the same rule and is smaller; then everything is tried anew. It ends where nothing helps any more, or
//! when the budget is spent. So the result is small, and not always the smallest there is.

use std::fmt;

use gupcheck_sync::{Event, LaneId, What};

use super::Choice;

/// Executions that making a failing schedule small may cost.
pub const TRIES: u64 = 1_000;

/// One operation's part of a schedule.
pub trait Turn: Copy {
    /// Whose operation.
    fn lane(self) -> LaneId;

    /// Whether it does not take what is newest.
    fn is_stale(self) -> bool;

    /// The same, taking what is newest.
    #[must_use]
    fn fresh(self) -> Self;
}

impl Turn for LaneId {
    fn lane(self) -> LaneId {
        self
    }

    fn is_stale(self) -> bool {
        false
    }

    fn fresh(self) -> Self {
        self
    }
}

impl Turn for Choice {
    fn lane(self) -> LaneId {
        LaneId(self.lane)
    }

    fn is_stale(self) -> bool {
        self.back > 0
    }

    fn fresh(self) -> Self {
        Self { back: 0, ..self }
    }
}

/// How large a schedule is; smaller in the order in which the fields stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent {
    /// Changes of CPU.
    pub switches: usize,
    /// Operations.
    pub steps: usize,
    /// Reads that do not take what is newest.
    pub stale: usize,
}

impl Extent {
    /// How large a schedule is.
    pub fn of<T: Turn>(schedule: &[T]) -> Self {
        let switches = schedule
            .windows(2)
            .filter(|pair| pair[0].lane() != pair[1].lane());
        Self {
            switches: switches.count(),
            steps: schedule.len(),
            stale: schedule.iter().filter(|turn| turn.is_stale()).count(),
        }
    }

    /// How large an execution is of which only the trace is known.
    pub fn of_trace(trace: &[Event]) -> Self {
        let is_operation = |event: &&Event| matches!(event.what, What::Op { .. });
        let operations = trace.iter().filter(is_operation);
        Self::of(&operations.map(|event| event.lane).collect::<Vec<_>>())
    }
}

/// From what to what a failing execution was made smaller, and what it took.
#[derive(Clone, Copy, Debug)]
pub struct Shrinking {
    /// What was found.
    pub from: Extent,
    /// What is shown.
    pub to: Extent,
    /// Executions tried.
    pub tries: u64,
}

impl fmt::Display for Shrinking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, tries } = self;
        let (steps, switches) = (from.steps, from.switches);
        if to == from {
            return write!(
                f,
                "shown as found: {steps} steps and {switches} switches, none smaller in {tries} tries"
            );
        }
        write!(
            f,
            "minimised from {steps} steps and {switches} switches to {} and {}, {tries} tries",
            to.steps, to.switches
        )
    }
}

/// A schedule that was made smaller.
#[derive(Clone, Debug)]
pub struct Shrunk<T> {
    /// What it became.
    pub schedule: Vec<T>,
    /// From what to what, and what it took.
    pub shrinking: Shrinking,
}

/// Makes a schedule smaller, with at most so many tries. `follow` runs an execution along a schedule, as
/// nearly as it can, and returns the schedule that it ran if that breaks the same rule.
pub fn shrink<T: Turn>(
    found: &[T],
    budget: u64,
    mut follow: impl FnMut(&[T]) -> Option<Vec<T>>,
) -> Shrunk<T> {
    let mut best = found.to_vec();
    let mut tries = 0;
    'anew: loop {
        for candidate in candidates(&best) {
            if tries == budget {
                break 'anew;
            }
            tries += 1;
            if let Some(followed) = follow(&candidate)
                && Extent::of(&followed) < Extent::of(&best)
            {
                best = followed;
                continue 'anew;
            }
        }
        break;
    }
    Shrunk {
        shrinking: Shrinking {
            from: Extent::of(found),
            to: Extent::of(&best),
            tries,
        },
        schedule: best,
    }
}

/// Schedules like this one that may be smaller.
fn candidates<T: Turn>(best: &[T]) -> Vec<Vec<T>> {
    let runs: Vec<&[T]> = (best.chunk_by(|one, other| one.lane() == other.lane())).collect();
    let mut all = joined(&runs);
    all.extend((0..runs.len()).map(|nth| {
        let mut other = runs.clone();
        other.remove(nth);
        other.concat()
    }));
    all.extend((1..runs.len()).map(|nth| {
        let mut other = runs.clone();
        other.swap(nth - 1, nth);
        other.concat()
    }));
    all.extend(fresher(best));
    all
}

/// The same with nothing stale, and with one stale turn less.
fn fresher<T: Turn>(best: &[T]) -> Vec<Vec<T>> {
    let stale: Vec<usize> = (0..best.len())
        .filter(|&nth| best[nth].is_stale())
        .collect();
    let with = |nths: &[usize]| {
        let mut other = best.to_vec();
        for &nth in nths {
            other[nth] = best[nth].fresh();
        }
        other
    };
    let everything = (!stale.is_empty()).then(|| with(&stale));
    let each = stale.iter().filter(|_| stale.len() > 1);
    everything
        .into_iter()
        .chain(each.map(|&nth| with(&[nth])))
        .collect()
}

/// Every run joined with the next one of its CPU, early and late.
fn joined<T: Turn>(runs: &[&[T]]) -> Vec<Vec<T>> {
    let mut all = Vec::new();
    for (early, run) in runs.iter().enumerate() {
        let is_of_it = |late: &usize| runs[*late][0].lane() == run[0].lane();
        let Some(late) = (early + 1..runs.len()).find(is_of_it) else {
            continue;
        };
        for place in [early, late] {
            let mut other: Vec<&[T]> = Vec::with_capacity(runs.len());
            for (nth, run) in runs.iter().enumerate() {
                if nth == place {
                    other.extend([runs[early], runs[late]]);
                } else if nth != early && nth != late {
                    other.push(run);
                }
            }
            all.push(other.concat());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(text: &str) -> Vec<LaneId> {
        text.bytes().map(|c| LaneId(c - b'a')).collect()
    }

    fn text(schedule: &[LaneId]) -> String {
        schedule
            .iter()
            .map(|lane| char::from(b'a' + lane.0))
            .collect()
    }

    /// Shrinks a schedule that fails as long as `fails` says so.
    fn shrunk(found: &str, budget: u64, fails: impl Fn(&str) -> bool) -> (String, String) {
        let follow = |tried: &[LaneId]| fails(&text(tried)).then(|| tried.to_vec());
        let shrunk = shrink(&lanes(found), budget, follow);
        (text(&shrunk.schedule), shrunk.shrinking.to_string())
    }

    #[test]
    fn runs_are_joined_and_left_out() {
        let needs = |tried: &str| tried.contains('a') && tried.contains('b');
        let (small, words) = shrunk("abcabc", 100, needs);
        assert_eq!(small, "aabb");
        assert!(words.starts_with("minimised from 6 steps and 5 switches to 4 and 1, "));
    }

    #[test]
    fn what_the_failure_needs_stays() {
        let (small, _) = shrunk("aabbaabb", 1000, |tried| tried.contains("bba"));
        assert!(small.contains("bba"), "{small}");
        let (same, words) = shrunk("aba", 1000, |tried| tried == "aba");
        assert_eq!(same, "aba");
        assert!(words.starts_with("shown as found: 3 steps and 2 switches, "));
    }

    #[test]
    fn what_need_not_be_stale_is_not() {
        let turn = |back| Choice { lane: 0, back };
        let needs = |tried: &[Choice]| tried.len() == 3 && tried[1].back > 0;
        let follow = |tried: &[Choice]| needs(tried).then(|| tried.to_vec());
        let found = [turn(2), turn(1), turn(1)];
        assert_eq!(
            shrink(&found, 100, follow).schedule,
            [turn(0), turn(1), turn(0)]
        );
        let all = |tried: &[Choice]| (tried.len() == 3).then(|| tried.to_vec());
        assert_eq!(shrink(&found, 100, all).shrinking.to.stale, 0);
    }

    #[test]
    fn the_budget_is_kept() {
        let (same, words) = shrunk("abcabc", 0, |_| true);
        assert_eq!(same, "abcabc");
        assert!(words.ends_with(" 0 tries"));
    }

    #[test]
    fn what_is_newest_is_smaller_than_what_is_stale() {
        let turn = |back| Choice { lane: 0, back };
        assert!(Extent::of(&[turn(0)]) < Extent::of(&[turn(1)]));
        assert!(Extent::of(&[turn(1)]) < Extent::of(&[turn(0), turn(0)]));
    }
}
