//! Schedules of the shuttle engine: followed, made small, and taken over from the graph engine; and what other
//! engines find, made as small.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{
    Counterexample, Engine, Fingerprint, Model, Program, Replay, Returned, Search, Shrinking,
};
use gupcheck_shuttle::{ShuttleEngine, schedule_of};
use gupcheck_sync::{Event, LaneId, Layout, Rmw, RmwOrder, What};
use gupcheck_trials::*;

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
        // cpu a up to its load, all of b, the rest of a; and c, all at once, before or after.
        let shrinking = told_as_small_as_it_gets(broken(&found));
        assert!(shrinking.to < shrinking.from, "{shrinking}");
    }
}

#[test]
fn a_counterexample_of_the_graph_engine_is_told_as_small() {
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        let search = Search { model, ..search() };
        let found = explore(&GraphEngine::ONE_THREAD, hidden(), &search);
        told_as_small_as_it_gets(broken(&found));
    }
}

/// A value that is there only between two updates, among much else. Nothing is stale: each look is an update.
fn between() -> Program {
    let (mut layout, x, _) = xy();
    let noise = layout.atomic("noise", 0);
    let mut program = Program::new(layout);
    for (name, adds) in [("looks", 0), ("adds", 1)] {
        program.cpu(name, move |lane| {
            noise.rmw(lane, Rmw::Add(1), RmwOrder::Relaxed);
            let seen = x.rmw(lane, Rmw::Add(adds), RmwOrder::Relaxed);
            noise.rmw(lane, Rmw::Add(1), RmwOrder::Relaxed);
            x.rmw(lane, Rmw::Add(adds), RmwOrder::Relaxed);
            noise.rmw(lane, Rmw::Add(1), RmwOrder::Relaxed);
            Returned::nothing().int("seen", i64::from(seen))
        });
    }
    program.always("nobody sees 1", |end| {
        end.returned(LaneId(0)).get("seen") != Some(1)
    });
    program
}

#[test]
fn a_counterexample_of_loom_is_told_with_few_preemptions_and_comes_back() {
    let program = Arc::new(between());
    let search = Search {
        model: Model::LoomC11,
        ..search()
    };
    let exploration = LoomEngine.explore(&program, &search);
    let found = broken(&exploration);
    let shrinking = found.shrinking.expect("it is minimised");
    assert!(shrinking.to < shrinking.from, "{shrinking}");
    assert_eq!(shrinking.to.switches, 2, "{shrinking}");
    assert_eq!(switches(&schedule_of(&found.trace)), 2);
    let replay = Replay {
        model: Model::LoomC11,
        schedule: found.schedule.as_ref().expect("a path"),
        fingerprint: &Fingerprint::of(&program, &found.trace),
        execution: found.execution,
    };
    let again = LoomEngine.replay(&program, &replay).expect("it fits");
    assert_eq!(again.misfit, None);
    let again = again.broken.expect("it breaks again");
    assert_eq!(again.trace, found.trace);
    assert_eq!(again.violation, found.violation);
}

fn told_as_small_as_it_gets(counterexample: &Counterexample) -> Shrinking {
    let shrinking = counterexample.shrinking.expect("it is minimised");
    let schedule = schedule_of(&counterexample.trace);
    assert_eq!(switches(&schedule), 3, "{shrinking}");
    assert_eq!(shrinking.to.switches, 3, "{shrinking}");
    shrinking
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
