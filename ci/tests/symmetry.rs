//! `--reduce symmetry` on the kernel's races: the same outcomes as without, and fewer executions.

use std::collections::BTreeSet;
use std::sync::Arc;

use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Model, Program, Reductions, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::{Race, Size};

use crate::support::races::{all_races, at_most, explored, outcomes, program};

/// Executions of a race that are enough to compare it here. The races with more are the same code at another length.
const MOST: u64 = 800;

struct Explored {
    executions: u64,
    outcomes: BTreeSet<String>,
}

/// A program, if it has not too many executions.
fn all_of(program: &Arc<Program>, model: Model, symmetry: bool) -> Option<Explored> {
    let reductions = Reductions {
        symmetry,
        ..Reductions::NONE
    };
    let engine = GraphEngine {
        reductions,
        ..GraphEngine::ONE_THREAD
    };
    let exploration = explored(&engine, model, program, at_most(MOST));
    matches!(exploration.verdict, Verdict::Complete).then(|| Explored {
        executions: exploration.executions,
        outcomes: outcomes(program, &exploration),
    })
}

#[test]
fn symmetry_loses_no_outcome_of_a_race() {
    let (mut tried, mut compared, mut halved) = (0, 0, 0);
    // In pairs, those who are several wait for others, and who waits is nobody's twin.
    let races = all_races().filter(|race| !race.name.starts_with("pairs/"));
    let two = Size { cpus: 2, pages: 1 };
    // The first profile is x86's, where there is one, and the last a weak one.
    let ends = |race: &'static Race| {
        race.profiles
            .first()
            .into_iter()
            .chain(race.profiles.last())
    };
    for (race, &profile) in races.flat_map(|race| ends(race).map(move |profile| (race, profile))) {
        let model = model_for(&GraphEngine::ONE_THREAD, profile);
        let (race, program) = program(race, profile, two, Steps::NONE);
        tried += 1;
        let Some(all) = all_of(&program, model, false) else {
            continue;
        };
        let reduced = all_of(&program, model, true).expect("it has no more executions");
        assert_eq!(all.outcomes, reduced.outcomes, "{race:?}");
        assert!(reduced.executions <= all.executions, "{race:?}");
        compared += 1;
        // Two executions in which the callers do the same are one each.
        halved += usize::from(reduced.executions < all.executions * 6 / 10);
    }
    // Not compared are those with too many executions, at two callers: most of those in which somebody unmaps by way of the page.
    assert!(
        compared >= 80 && compared * 10 >= tried * 2,
        "{compared} of {tried}"
    );
    assert!(halved * 10 >= compared * 7, "{halved} of {compared}");
}
