//! Executions with sections and waits are found again by their schedules.

mod common;

use std::sync::Arc;

use common::*;

use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_program::{
    Counterexample, Engine, Fingerprint, Model, Program, Replay, Schedule, Search, Verdict,
    Violation,
};
use gupcheck_sync::{Op, SectionId, SectionSet, Until, What};

/// Explores a program that never holds, and replays the execution that is told; which it is, if there is one.
fn comes_back(program: &Arc<Program>, model: Model) -> Option<Box<Counterexample>> {
    let engine = GraphEngine::ONE_THREAD;
    let Verdict::Failed(found) = engine.explore(program, &Search::unlimited(model)).verdict else {
        return None;
    };
    let schedule: &Schedule = found.schedule.as_ref().expect("a schedule");
    let fingerprint = Fingerprint::of(program, &found.trace);
    let replay = Replay {
        model,
        schedule,
        fingerprint: &fingerprint,
        execution: found.execution,
    };
    let replayed = engine.replay(program, &replay).expect("its own schedule");
    assert_eq!(replayed.misfit, None, "{:#?}", found.trace);
    let again = replayed.broken.expect("the same rule");
    assert_eq!(again.violation, found.violation);
    assert_eq!(again.trace, found.trace);
    Some(found)
}

fn has_wait(found: &Counterexample) -> bool {
    let is_wait = |what| {
        matches!(
            what,
            What::Op {
                op: Op::Wait(_),
                ..
            }
        )
    };
    found.trace.iter().any(|event| is_wait(event.what))
}

/// Every execution breaks the nth of these rules that it is told apart by: what CPU 0 and memory end with.
fn broken_in_some(seed: u64, family: Family, nth: u64) -> Arc<Program> {
    let mut program = program(family, seed).to_program();
    let cells: Vec<_> = program.observed().to_vec();
    program.always("this never happens", move |end| {
        let memory = cells.iter().fold(0, |sum, &cell| sum * 3 + end.word(cell));
        let read =
            (end.all_returned().iter()).flat_map(|returned| returned.all("r").collect::<Vec<_>>());
        let read = read.fold(0, |sum, word| sum * 3 + word as u64);
        (memory + read) % 5 != nth
    });
    Arc::new(program)
}

/// Two CPUs wait for each other's sections, and a third one spins for ever: the two are a deadlock, to the search
/// and to whoever follows its schedule.
#[test]
fn a_ring_of_waits_beside_a_spinner() {
    let waits_in = |kind| {
        let (own, other) = (SectionId(kind), SectionSet(1 << (1 - kind)));
        [Op::Enter(own), Op::Wait(other), Op::Leave(own)]
    };
    let listing = listing([&waits_in(0), &waits_in(1), &[spin(X, Until::Differs(0))]]);
    let program = Arc::new(listing.to_program());
    for model in MODELS {
        let found = comes_back(&program, model).expect("a deadlock");
        assert!(matches!(found.violation, Violation::Deadlock { .. }));
    }
}

#[test]
fn of_a_thousand_programs() {
    let mut with_waits = 0;
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        for seed in 0..400 {
            for family in [Family::Sections, Family::SectionTwins] {
                let program = broken_in_some(seed, family, seed % 5);
                let found = comes_back(&program, model);
                with_waits += u32::from(found.is_some_and(|found| has_wait(&found)));
            }
        }
    }
    assert!(with_waits > 200, "{with_waits}");
}
