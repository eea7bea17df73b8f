//! Schedules of the shuttle engine: followed, made small, and taken over from the graph engine.

mod common;

use std::sync::Arc;

use common::*;
use gupcheck_core::sync::{Event, LaneId, Layout, What};
use gupcheck_races::engine::{Engine, GraphEngine, Model, Search, ShuttleEngine, schedule_of};
use gupcheck_races::program::{Program, Returned};

const SAMPLERS: [ShuttleEngine; 3] = [
    ShuttleEngine::RANDOM,
    ShuttleEngine::PCT,
    ShuttleEngine::URW,
];

/// A lost update among much else: long schedules with many switches show it.
fn hidden() -> Program {
    let (mut layout, x, y) = xy();
    let noise = layout.atomic("noise", 0);
    let mut program = Program::new(layout);
    for name in ["cpu0", "cpu1", "cpu2"] {
        program.cpu(name, move |lane| {
            for _ in 0..4 {
                noise.load(lane, Loose);
            }
            let seen = x.load(lane, Loose);
            y.load(lane, Loose);
            x.store(lane, seen + 1, Plainly);
            for _ in 0..4 {
                noise.load(lane, Loose);
            }
            Returned::nothing()
        });
    }
    program.always("all additions count", move |end| end.value(x) == 3);
    program
}

fn switches(schedule: &[LaneId]) -> usize {
    schedule
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count()
}

#[test]
fn a_failing_schedule_is_told_as_small_as_it_gets() {
    for engine in SAMPLERS {
        let found = explore(&engine, hidden(), &search());
        let schedule = schedule_of(&broken(&found).trace);
        // cpu a up to its load, all of b, the rest of a; and c, all at once, before or after.
        assert_eq!(switches(&schedule), 3, "{:?}", found.remarks);
        let words = &found.remarks[1];
        assert!(words.starts_with("minimised from"), "{words}");
    }
}

#[test]
fn a_counterexample_of_the_graph_engine_is_told_as_small() {
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        let search = Search { model, ..search() };
        let found = explore(&GraphEngine::ONE_THREAD, hidden(), &search);
        let schedule = schedule_of(&broken(&found).trace);
        assert_eq!(switches(&schedule), 3, "{model}: {:?}", found.remarks);
        let words = &found.remarks[0];
        assert!(words.starts_with("minimi"), "{words}");
    }
}

#[test]
fn a_schedule_is_followed_exactly() {
    let program = Arc::new(hidden());
    let found = ShuttleEngine::RANDOM.explore(&program, &search());
    let counterexample = broken(&found);
    let schedule = schedule_of(&counterexample.trace);
    for _ in 0..3 {
        let followed = ShuttleEngine::follow(&program, &schedule);
        assert_eq!(followed.misfit, None);
        assert_eq!(followed.violation.as_ref(), Some(&counterexample.violation));
        assert_eq!(followed.trace, counterexample.trace);
        assert_eq!(followed.schedule, schedule);
        assert_eq!(followed.memory, counterexample.memory);
    }
}

#[test]
fn a_schedule_that_does_not_fit_says_where() {
    let program = Arc::new(two_locks(true));
    // cpu1 cannot take the lock that cpu0 holds.
    let followed = ShuttleEngine::follow(&program, &[CPU0, CPU1, CPU0]);
    assert_eq!(followed.misfit, Some(1));
    assert_eq!(followed.violation, None);
    assert_eq!(followed.schedule.len(), 8);
    let short = ShuttleEngine::follow(&program, &[CPU0; 4]);
    assert_eq!(short.misfit, Some(4));
    let long = ShuttleEngine::follow(&program, &[[CPU0; 4], [CPU1; 4], [CPU1; 4]].concat());
    assert_eq!(long.misfit, Some(8));
}

/// Programs that fail under SC.
fn failing() -> Vec<(&'static str, Program)> {
    let mut layout = Layout::new();
    let life = layout.life("page", true);
    let use_after_free = two(layout, move |lane| {
        life.free(lane);
        Returned::nothing()
    });
    vec![
        ("lost update", lost_update()),
        ("hidden", hidden()),
        ("deadlock", two_locks(false)),
        ("double free", use_after_free),
    ]
}

#[test]
fn a_graph_counterexample_under_sc_is_a_schedule() {
    for (name, program) in failing() {
        let program = Arc::new(program);
        let sc = Search {
            model: Model::Sc,
            ..search()
        };
        let found = GraphEngine::ONE_THREAD.explore(&program, &sc);
        let counterexample = broken(&found);
        let schedule = schedule_of(&counterexample.trace);
        let followed = ShuttleEngine::follow(&program, &schedule);
        assert_eq!(followed.misfit, None, "{name}");
        assert_eq!(
            followed.violation.as_ref(),
            Some(&counterexample.violation),
            "{name}"
        );
        let ops = |trace: &[Event]| {
            let ops = trace.iter().filter(|e| matches!(e.what, What::Op { .. }));
            ops.map(|event| (event.lane, format!("{:?}", event.what), event.site))
                .map(|(lane, what, site)| (lane, without_source(&what), site))
                .collect::<Vec<_>>()
        };
        assert_eq!(ops(&followed.trace), ops(&counterexample.trace), "{name}");
    }
}

/// Where events stand depends on notes and on whose race it is; what they did does not.
fn without_source(what: &str) -> String {
    what.split(", from:").next().unwrap_or(what).to_owned()
}
