//! What the engine finds, beside what brute force finds.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::enumerate::{self, Enumerated};
use super::generate::{self, Family};
use super::listing::Listing;
use crate::engine::GraphEngine;
use gupcheck_program::Reductions;
use gupcheck_program::{
    Engine, Exploration, Limits, Model, Search, Stop, Unwatched, Verdict, Violation,
};
use gupcheck_sync::{LaneId, Op};

const SYMMETRY: Reductions = Reductions {
    symmetry: true,
    ..Reductions::NONE
};
const DOMINATED: Reductions = Reductions {
    dominated: true,
    ..Reductions::NONE
};

/// One program on which engine and enumerator disagree.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The family and the seed that [`generate::program`] draws it from.
    pub seed: (Family, u64),
    /// The program.
    pub listing: Listing,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, seed) = self.seed;
        write!(
            f,
            "{} seed {seed}: {}\n{}",
            family.name(),
            self.what,
            self.listing
        )
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Programs compared.
    pub programs: u64,
    /// Those whose possible graphs were all counted (no race, no deadlock).
    pub counted: u64,
    /// Those with a data race or a deadlock, on which the engine has to find one.
    pub violating: u64,
    /// Those whose graphs were too many to enumerate. Not compared.
    pub too_large: u64,
    /// Possible graphs, over all programs counted.
    pub graphs: u64,
    /// Disagreements.
    pub mismatches: Vec<Mismatch>,
}

/// Compares on `count` programs of a family, drawn from `seed` and the numbers after it.
pub fn compare(family: Family, seed: u64, count: u64, model: Model) -> Report {
    let mut report = Report::default();
    for seed in seed..seed + count {
        let listing = generate::program(family, seed);
        report.programs += 1;
        let Some(enumerated) = enumerate::enumerate(&listing, model) else {
            report.too_large += 1;
            continue;
        };
        if enumerated.has_race || enumerated.has_deadlock {
            report.violating += 1;
        } else {
            report.counted += 1;
            report.graphs += enumerated.graphs;
        }
        if let Some(what) = difference(&listing, model, &enumerated) {
            report.mismatches.push(Mismatch {
                seed: (family, seed),
                listing,
                what,
            });
        }
    }
    report
}

/// How the engine disagrees with brute force on a program, if it does (or if it cannot be compared).
pub fn disagreement(listing: &Listing, model: Model) -> Option<String> {
    match enumerate::enumerate(listing, model) {
        None => Some("too large to enumerate".to_owned()),
        Some(enumerated) => difference(listing, model, &enumerated),
    }
}

/// Runs the engine on a listing.
pub fn explore(listing: &Listing, model: Model) -> Exploration {
    explore_by(GraphEngine::ONE_THREAD, listing, model)
}

/// Runs it as `engine` says.
pub fn explore_by(engine: GraphEngine, listing: &Listing, model: Model) -> Exploration {
    let search = Search {
        model,
        limits: Limits {
            // An engine that finds ever more is stopped, and has failed.
            executions: Some(1_000_000),
            time: None,
            memory: None,
        },
        stop: Stop::default(),
        watch: &Unwatched,
    };
    engine.explore(&Arc::new(listing.to_program()), &search)
}

fn difference(listing: &Listing, model: Model, enumerated: &Enumerated) -> Option<String> {
    // Programs are small: with a long survey nothing would be passed over. Under LKMM that would order less.
    let survey = |short| {
        if model == Model::Lkmm {
            u64::MAX
        } else {
            short
        }
    };
    let learning = GraphEngine {
        survey: survey(0),
        ..GraphEngine::ONE_THREAD
    };
    let in_pieces = |reductions| GraphEngine {
        cuts: Some(NonZeroU64::MIN),
        survey: survey(2),
        reductions,
        ..GraphEngine::ONE_THREAD
    };
    let all = explore_by(learning, listing, model);
    let differs_by = |engine, words: &str, executions| {
        let explored = explore_by(engine, listing, model);
        let what = differs(&explored, enumerated, executions).or_else(|| {
            (waits_otherwise(&all, &explored)).then(|| "others wait in vain".to_owned())
        });
        what.map(|what| format!("{words}: {what}"))
    };
    let graphs = |graphs| graphs..=graphs;
    let (undominated, classes) = enumerated.undominated;
    let difference = differs(&all, enumerated, graphs(enumerated.graphs))
        .or_else(|| {
            let whole = in_pieces(Reductions::NONE);
            differs_by(whole, "in pieces", graphs(enumerated.graphs))
        })
        .or_else(|| {
            let engine = in_pieces(DOMINATED);
            differs_by(engine, "without dominated reads", graphs(undominated))
        });
    let has_twins = (0..listing.cpus.len()).any(|cpu| listing.twin_of(cpu).is_some());
    if difference.is_some() || !has_twins {
        return difference;
    }
    // Twins that differ only in which waits have reached them are told apart.
    let has_sections =
        (listing.cpus.iter().flatten()).any(|line| matches!(line.op, Op::Enter(_) | Op::Wait(_)));
    let up_to = |classes, all| classes..=if has_sections { all } else { classes };
    let symmetry = up_to(enumerated.classes, enumerated.graphs);
    differs_by(in_pieces(SYMMETRY), "with symmetry", symmetry).or_else(|| {
        let engine = in_pieces(Reductions::ALL);
        differs_by(engine, "with all reductions", up_to(classes, undominated))
    })
}

/// Whether two explorations of everything say differently who waits in vain for what; how often does not matter. Twins
/// stand for each other.
fn waits_otherwise(one: &Exploration, other: &Exploration) -> bool {
    let kinds = |explored: &Exploration| -> BTreeSet<Vec<String>> {
        let ops = |waiting: &Vec<(LaneId, Op)>| {
            let mut ops: Vec<_> = waiting.iter().map(|(_, op)| format!("{op:?}")).collect();
            ops.sort_unstable();
            ops
        };
        explored.stuck.keys().map(ops).collect()
    };
    let is_whole = |explored: &Exploration| matches!(explored.verdict, Verdict::Complete);
    is_whole(one) && is_whole(other) && kinds(one) != kinds(other)
}

/// How an exploration differs from brute force, by which it has so many executions.
fn differs(
    explored: &Exploration,
    enumerated: &Enumerated,
    executions: RangeInclusive<u64>,
) -> Option<String> {
    match &explored.verdict {
        Verdict::Failed(found) => {
            let is_right = match found.violation {
                Violation::DataRace { .. } => enumerated.has_race,
                Violation::Deadlock { .. } => enumerated.has_deadlock,
                _ => false,
            };
            (!is_right).then(|| format!("the engine finds {:?}", found.violation))
        }
        Verdict::Complete if enumerated.has_race => Some("the engine misses a race".to_owned()),
        Verdict::Complete if enumerated.has_deadlock => {
            Some("the engine misses a deadlock".to_owned())
        }
        Verdict::Complete => {
            let missing = (enumerated.outcomes.iter())
                .filter(|outcome| !explored.outcomes.contains_key(*outcome))
                .count();
            let invented = (explored.outcomes.keys())
                .filter(|outcome| !enumerated.outcomes.contains(*outcome))
                .count();
            let same = executions.contains(&explored.executions) && missing + invented == 0;
            (!same).then(|| {
                format!(
                    "{} executions for {executions:?} graphs; {missing} outcomes missing, {invented} \
                     invented",
                    explored.executions
                )
            })
        }
        other => Some(format!("the engine answers {other:?}")),
    }
}
