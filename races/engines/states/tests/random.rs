//! The states engine beside the graph engine, on random programs: the same verdicts, the same outcomes, and somebody stuck
//! where somebody is. `PROGRAMS` says how many of each family under each model; 100,000 have been compared.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_program::{Engine, Exploration, Model, Search, Verdict};
use gupcheck_states::StatesEngine;

/// How the two differ, if they do.
fn difference(states: &Exploration, graph: &Exploration) -> Option<String> {
    match (&states.verdict, &graph.verdict) {
        (Verdict::Complete, Verdict::Complete) => {
            let missing = graph
                .outcomes
                .keys()
                .filter(|o| !states.outcomes.contains_key(*o));
            let invented = states
                .outcomes
                .keys()
                .filter(|o| !graph.outcomes.contains_key(*o));
            let (missing, invented) = (missing.count(), invented.count());
            let stuck = states.stuck.keys().count() == 0 && graph.stuck.keys().count() > 0
                || states.stuck.keys().count() > 0 && graph.stuck.keys().count() == 0;
            (missing + invented > 0 || stuck)
                .then(|| format!("{missing} outcomes missing, {invented} invented, stuck: {stuck}"))
        }
        (Verdict::Failed(one), Verdict::Failed(other)) => {
            let words = format!("{:?}", one.violation);
            words
                .contains("defect of gupcheck")
                .then(|| format!("{words} for {:?}", other.violation))
        }
        (one, other) => Some(format!("{one:?} for {other:?}")),
    }
}

fn compare(family: Family, model: Model, seeds: std::ops::Range<u64>) {
    let search = Search::unlimited(model);
    let mut wrong = Vec::new();
    for seed in seeds {
        let listing = program(family, seed);
        let program = Arc::new(listing.to_program());
        let graph = GraphEngine::ONE_THREAD.explore(&program, &search);
        let states = StatesEngine::XXH3.explore(&program, &search);
        if let Some(what) = difference(&states, &graph) {
            wrong.push(format!(
                "{} seed {seed} under {model}: {what}\n{listing}",
                family.name()
            ));
            if wrong.len() > 2 {
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! families {
    ($($name:ident: $family:expr;)*) => {$(
        #[test]
        fn $name() {
            for model in [Model::Sc, Model::Tso] {
                compare($family, model, 1..programs());
            }
        }
    )*};
}

#[test]
fn of_as_many_operations_a_race_is_nearer_than_a_deadlock() {
    compare(Family::Sections, Model::Sc, 31_321..31_322);
}

fn programs() -> u64 {
    std::env::var("PROGRAMS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(500)
}

families! {
    mixed: Family::Mixed;
    fenced: Family::Fenced;
    queues: Family::Queues;
    waits: Family::Waits;
    twins: Family::Twins;
    sections: Family::Sections;
    section_twins: Family::SectionTwins;
    spawns: Family::Spawns;
    looks: Family::Looks;
    voids: Family::Voids;
}
