//! Which barriers forbid a graph: one, if one does; the weakest.
//!
//! 1. If it is possible under SC, no barrier does.
//! 2. A full barrier is tried in each gap. Where it forbids the graph, each weaker one is tried; where one of these does, the full one is
//!    not the weakest, and kept for where it alone helps against all executions.
//! 3. If none does alone, all gaps get one, and one after the other is left out again as long as the graph stays forbidden. What
//!    is left is needed all at once, each as weak as it may be.
//!
//! What is said to forbid, has been asked of the model ([`super::rebuild`]): no more of it.

use gupcheck_program::Barrier;

use super::edit::Edit;
use super::gaps::Gap;
use super::rebuild::{Answer, Original};
use crate::model::{Axioms, Sc};

/// From the weakest on, but for the strongest.
const WEAKER: [Barrier; 4] = [
    Barrier::Acquire,
    Barrier::Release,
    Barrier::Read,
    Barrier::Write,
];

/// Barriers that forbid a graph, all at once, each with the gaps of which any will do.
pub(super) struct Suggestion {
    pub(super) barriers: Vec<(Barrier, Gap)>,
    /// The same, in the graph.
    pub(super) edits: Vec<Edit>,
    pub(super) answer: Answer,
    pub(super) is_weakest: bool,
}

pub(super) enum Suggestions {
    Interleaving,
    Nothing,
    Any(Vec<Suggestion>),
}

/// What forbids a graph under a model. `None` if the model does not allow it to begin with.
pub(super) fn suggestions<A: Axioms>(original: &Original) -> Option<Suggestions> {
    if original.asked::<A>(&[]) != Answer::Possible {
        return None;
    }
    if original.asked::<Sc>(&[]) == Answer::Possible {
        return Some(Suggestions::Interleaving);
    }
    let search = Search {
        original,
        gaps: Gap::all(original),
        asked: Original::asked::<A>,
    };
    if !search.helps(&search.full(&search.gaps)) {
        return Some(Suggestions::Nothing);
    }
    let mut found = search.single();
    if found.is_empty() {
        found.push((true, search.several()));
    }
    let strength = |barriers: &[Run]| barriers.iter().map(|&(barrier, ..)| barrier).max();
    found.sort_by_key(|(is_weakest, barriers)| (!is_weakest, strength(barriers)));
    let all = found.into_iter().map(|(is_weakest, barriers)| {
        let edits: Vec<Edit> = (barriers.iter())
            .filter_map(|(barrier, gaps)| gaps.last()?.with(&original.graph, *barrier))
            .collect();
        let wide = |gaps: &[Gap]| Gap {
            after: gaps[0].after,
            ..gaps[gaps.len() - 1]
        };
        Suggestion {
            answer: original.asked::<A>(&edits),
            barriers: (barriers.iter())
                .map(|(barrier, gaps)| (*barrier, wide(gaps)))
                .collect(),
            edits,
            is_weakest,
        }
    });
    Some(Suggestions::Any(all.collect()))
}

/// A barrier, and the gaps one after the other in any of which it would do.
type Run = (Barrier, Vec<Gap>);

struct Search<'o> {
    original: &'o Original,
    gaps: Vec<Gap>,
    asked: fn(&Original, &[Edit]) -> Answer,
}

impl Search<'_> {
    fn helps(&self, edits: &[Edit]) -> bool {
        (self.asked)(self.original, edits) != Answer::Possible
    }

    fn full(&self, gaps: &[Gap]) -> Vec<Edit> {
        let full = |gap: &Gap| gap.with(&self.original.graph, Barrier::Full);
        gaps.iter().filter_map(full).collect()
    }

    /// Each that does alone, and whether it is the weakest at its place.
    fn single(&self) -> Vec<(bool, Vec<Run>)> {
        let helpful = self.runs(Barrier::Full, &self.gaps, &[]);
        let pairs = Gap::dependencies(&self.original.graph, &self.gaps);
        let dependencies = self.runs(Barrier::Dependency, &pairs, &[]);
        let mut found: Vec<(bool, Vec<Run>)> = dependencies
            .into_iter()
            .map(|run| (true, vec![run]))
            .collect();
        for (_, gaps) in helpful {
            let weaker: Vec<Run> = WEAKER
                .into_iter()
                .flat_map(|barrier| self.runs(barrier, &gaps, &[]))
                .collect();
            found.push((weaker.is_empty(), vec![(Barrier::Full, gaps)]));
            found.extend(weaker.into_iter().map(|run| (true, vec![run])));
        }
        found
    }

    /// The runs of neighbouring gaps in any of which a barrier helps, together with these `others`.
    fn runs(&self, barrier: Barrier, gaps: &[Gap], others: &[Edit]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for &gap in gaps {
            let Some(edit) = gap.with(&self.original.graph, barrier) else {
                continue;
            };
            if !self.helps(&[&[edit], others].concat()) {
                continue;
            }
            match runs.last_mut() {
                // An access that is ordered itself is one place, whichever gap it stands at.
                Some((_, run))
                    if barrier.fence().is_some()
                        && run.last().is_some_and(|last| {
                            last.lane == gap.lane && last.before == gap.after
                        }) =>
                {
                    run.push(gap);
                }
                _ => runs.push((barrier, vec![gap])),
            }
        }
        runs
    }

    /// What does all at once, if nothing does alone.
    fn several(&self) -> Vec<Run> {
        let mut kept = self.gaps.clone();
        let mut nth = 0;
        while nth < kept.len() {
            let mut without = kept.clone();
            without.remove(nth);
            if self.helps(&self.full(&without)) {
                kept = without;
            } else {
                nth += 1;
            }
        }
        let mut edits = self.full(&kept);
        let mut found = Vec::new();
        for (nth, &gap) in kept.iter().enumerate() {
            let others: Vec<Edit> = (edits.iter().enumerate())
                .filter_map(|(other, &edit)| (other != nth).then_some(edit))
                .collect();
            let barriers = WEAKER.into_iter().chain([Barrier::Full]);
            let run = barriers.into_iter().find_map(|barrier| {
                let own: Vec<Gap> = (self.gaps.iter().copied())
                    .filter(|own| own.lane == gap.lane)
                    .collect();
                self.runs(barrier, &own, &others).into_iter().next()
            });
            let run = run.unwrap_or((Barrier::Full, vec![gap]));
            if let Some(edit) = run
                .1
                .last()
                .and_then(|gap| gap.with(&self.original.graph, run.0))
            {
                edits[nth] = edit;
            }
            found.push(run);
        }
        found
    }
}
