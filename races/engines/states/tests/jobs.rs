//! What is found does not depend on how many threads look for it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_program::{Engine, Exploration, Model, Search, States, Verdict};
use gupcheck_states::StatesEngine;

/// All that a search says, but for how long it took and how much memory was in use at a time.
fn said(explored: &Exploration) -> String {
    let states = explored.states.map(|states| States { bytes: 0, ..states });
    let verdict = match &explored.verdict {
        Verdict::Failed(found) => format!("{:?} by {:?}", found.violation, found.schedule),
        other => format!("{other:?}"),
    };
    let mut outcomes: Vec<_> = explored.outcomes.keys().collect();
    outcomes.sort();
    format!("{verdict}, {states:?}, {outcomes:?}")
}

#[test]
fn random_programs() {
    let (mut failed, mut compared) = (0, 0);
    for family in Family::ALL {
        for model in [Model::Sc, Model::Tso] {
            for seed in 1..200 {
                let program = Arc::new(program(family, seed).to_program());
                let by = |jobs| {
                    let engine = StatesEngine {
                        jobs: NonZeroUsize::new(jobs).expect("not 0"),
                        // So that threads have something to share.
                        chunk: NonZeroUsize::MIN,
                        ..StatesEngine::XXH3
                    };
                    engine.explore(&program, &Search::unlimited(model))
                };
                let one = by(1);
                failed += u32::from(matches!(one.verdict, Verdict::Failed(_)));
                compared += 1;
                for jobs in [2, 3] {
                    let more = said(&by(jobs));
                    assert_eq!(said(&one), more, "{family:?} {seed} {model}, {jobs} jobs");
                }
            }
        }
    }
    assert!(failed > compared / 30, "only {failed} of {compared} fail");
}
