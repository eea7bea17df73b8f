//! Executions with sections and waits are found again by their schedules.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_program::{Engine, Fingerprint, Model, Program, Replay, Schedule, Search, Verdict};
use gupcheck_sync::{Op, What};

/// Explores a program that never holds, and replays what is told of one execution.
fn comes_back(program: &Arc<Program>, model: Model) -> bool {
    let engine = GraphEngine::ONE_THREAD;
    let Verdict::Failed(found) = engine.explore(program, &Search::unlimited(model)).verdict else {
        return false;
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
    (found.trace.iter()).any(|event| {
        matches!(
            event.what,
            What::Op {
                op: Op::Wait(_),
                ..
            }
        )
    })
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

#[test]
fn of_a_thousand_programs() {
    let mut with_waits = 0;
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        for seed in 0..400 {
            for family in [Family::Sections, Family::SectionTwins] {
                let program = broken_in_some(seed, family, seed % 5);
                with_waits += u32::from(comes_back(&program, model));
            }
        }
    }
    assert!(with_waits > 200, "{with_waits}");
}
