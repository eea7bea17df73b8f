//! Schedules replayed: on the program that they are of, on one that has changed, and when they are nonsense.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{
    Choice, Counterexample, Engine, Fingerprint, Model, Program, Replay, ReplayError, Replayed,
    Returned, Schedule, Search, Violation,
};
use gupcheck_shuttle::ShuttleEngine;
use gupcheck_sync::{Fault, Layout, LockMode, Rmw, RmwOrder};
use gupcheck_trials::{Loose, Plainly, broken, r, search};

const GRAPH: &dyn Engine = &GraphEngine::ONE_THREAD;
const LOOM: &dyn Engine = &LoomEngine;

fn find(engine: &dyn Engine, model: Model, program: &Arc<Program>) -> Counterexample {
    let search = Search { model, ..search() };
    broken(&engine.explore(program, &search)).clone()
}

fn again(
    engine: &dyn Engine,
    model: Model,
    found: &(Arc<Program>, Counterexample),
    now: &Arc<Program>,
) -> Result<Replayed, ReplayError> {
    let (then, counterexample) = found;
    let replay = Replay {
        model,
        schedule: counterexample.schedule.as_ref().expect("a schedule"),
        fingerprint: &Fingerprint::of(then, &counterexample.trace),
        execution: counterexample.execution,
    };
    engine.replay(now, &replay)
}

/// Finds what is broken, and replays it on the same program.
fn same(engine: &dyn Engine, model: Model, program: Program) -> Counterexample {
    let program = Arc::new(program);
    let counterexample = find(engine, model, &program);
    let found = (Arc::clone(&program), counterexample);
    let replayed = again(engine, model, &found, &program).expect("it fits");
    assert_eq!(replayed.misfit, None);
    assert_eq!(replayed.followed, replayed.choices);
    let (broken, counterexample) = (*replayed.broken.expect("broken"), found.1);
    assert_eq!(broken.violation, counterexample.violation);
    assert_eq!(broken.trace, counterexample.trace);
    assert_eq!(broken.memory, counterexample.memory);
    assert_eq!(broken.returned, counterexample.returned);
    counterexample
}

/// What a writer and a reader do beside the minimum.
#[derive(Clone, Copy, Default)]
struct Variant {
    /// The reader looks at something else first.
    looks_around: bool,
    /// The writer does not touch `spare`.
    spares_nothing: bool,
    /// The reader asks for `data` as part of an update.
    updates: bool,
    /// There is nothing to be got wrong.
    mended: bool,
}

/// Message passing without any order: the reader may see the flag and not the data.
fn message(variant: Variant) -> Arc<Program> {
    let mut layout = Layout::new();
    let data = layout.atomic("data", 0i32);
    let flag = layout.atomic("flag", 0i32);
    let spare = layout.atomic("spare", 0i32);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        if !variant.spares_nothing {
            spare.store(lane, 1, Plainly);
        }
        data.store(lane, 1, Plainly);
        flag.store(lane, 1, Plainly);
        Returned::nothing()
    });
    let reader = program.cpu("reader", move |lane| {
        if variant.looks_around {
            spare.load(lane, Loose);
        }
        let ready = flag.load(lane, Loose);
        let data = if variant.updates {
            data.rmw(lane, Rmw::Add(0), RmwOrder::Relaxed)
        } else {
            data.load(lane, Loose)
        };
        r(ready).int("r", i64::from(data))
    });
    program.always("who is told finds it", move |end| {
        let seen: Vec<_> = end.returned(reader).all("r").collect();
        variant.mended || seen != [1, 0]
    });
    Arc::new(program)
}

fn stale_message() -> (Arc<Program>, Counterexample) {
    let program = message(Variant::default());
    let found = find(GRAPH, Model::Rc11, &program);
    (program, found)
}

#[test]
fn a_stale_read_is_stale_again() {
    let (program, found) = stale_message();
    let Some(Schedule::Graph(choices)) = &found.schedule else {
        panic!("{:?}", found.schedule);
    };
    assert!(choices.iter().any(|choice| choice.back == 1), "{choices:?}");
    let found = (program, found);
    let replayed = again(GRAPH, Model::Rc11, &found, &found.0).expect("it fits");
    assert_eq!(replayed.broken.expect("broken").trace, found.1.trace);
}

#[test]
fn a_new_operation_is_named_and_done_on_the_way() {
    let now = message(Variant {
        looks_around: true,
        ..Variant::default()
    });
    let replayed = again(GRAPH, Model::Rc11, &stale_message(), &now).expect("the nearest");
    let misfit = replayed.misfit.expect("another operation");
    assert_eq!(
        misfit.to_string(),
        format!(
            "step {} was `flag.load` by reader, is now `spare.load`",
            misfit.step
        )
    );
    assert!(replayed.broken.is_some());
    assert_eq!(replayed.followed, replayed.choices);
}

#[test]
fn an_operation_that_is_gone_is_left_out() {
    let now = message(Variant {
        spares_nothing: true,
        ..Variant::default()
    });
    let replayed = again(GRAPH, Model::Rc11, &stale_message(), &now).expect("the nearest");
    let misfit = replayed.misfit.expect("another operation");
    assert!(
        misfit
            .to_string()
            .contains("was `spare.store` by writer, is now `data.store`")
    );
    assert!(replayed.broken.is_some());
    assert_eq!(replayed.followed + 1, replayed.choices);
}

#[test]
fn where_the_model_forbids_what_was_the_nearest_is_taken() {
    // An update of RC11 may not read an old value once another has been placed after it.
    let now = message(Variant {
        updates: true,
        ..Variant::default()
    });
    let replayed = again(GRAPH, Model::Sc, &stale_message(), &now).expect("the nearest");
    let misfit = replayed.misfit.expect("another operation");
    assert!(
        misfit.to_string().contains("is now `data.add_relaxed`"),
        "{misfit}"
    );
    assert!(replayed.broken.is_none());
}

#[test]
fn a_mended_rule_holds_in_the_very_execution() {
    let now = message(Variant {
        mended: true,
        ..Variant::default()
    });
    let replayed = again(GRAPH, Model::Rc11, &stale_message(), &now).expect("it fits");
    assert_eq!(replayed.misfit, None);
    assert!(replayed.broken.is_none());
}

#[test]
fn what_the_model_does_not_allow_is_an_error() {
    let found = stale_message();
    let error = again(GRAPH, Model::Sc, &found, &found.0).expect_err("not under SC");
    assert!(matches!(error, ReplayError::Impossible { .. }), "{error}");
    assert!(error.to_string().contains("so old a value"), "{error}");
    let (program, mut counterexample) = found;
    counterexample.schedule = Some(Schedule::Graph(vec![
        Choice { lane: 0, back: 300 };
        counterexample.trace.len()
    ]));
    let error = again(
        GRAPH,
        Model::Rc11,
        &(Arc::clone(&program), counterexample),
        &program,
    );
    assert!(error.is_err(), "{error:?}");
}

#[test]
fn a_schedule_of_another_engine_is_refused() {
    let found = stale_message();
    let error = again(LOOM, Model::LoomC11, &found, &found.0).expect_err("a graph's");
    assert_eq!(error, ReplayError::Foreign { engine: "loom" });
}

#[test]
fn loom_names_what_has_changed_too() {
    let program = message(Variant::default());
    let found = find(LOOM, Model::LoomC11, &program);
    let found = (program, found);
    let now = message(Variant {
        looks_around: true,
        ..Variant::default()
    });
    let replayed = again(LOOM, Model::LoomC11, &found, &now).expect("the nearest");
    assert!(replayed.misfit.is_some());
    let mended = message(Variant {
        mended: true,
        ..Variant::default()
    });
    let replayed = again(LOOM, Model::LoomC11, &found, &mended).expect("it fits");
    assert_eq!(replayed.misfit, None);
    assert!(replayed.broken.is_none());
}

/// Two locks taken in both orders.
fn deadly_embrace() -> Program {
    let mut layout = Layout::new();
    let (a, b) = (layout.spin_lock("a"), layout.rw_lock("b"));
    let mut program = Program::new(layout);
    program.cpu("ab", move |lane| {
        a.lock(lane);
        b.lock(lane, LockMode::Exclusive);
        b.unlock(lane, LockMode::Exclusive);
        a.unlock(lane);
        Returned::nothing()
    });
    program.cpu("ba", move |lane| {
        b.lock(lane, LockMode::Shared);
        a.lock(lane);
        a.unlock(lane);
        b.unlock(lane, LockMode::Shared);
        Returned::nothing()
    });
    program
}

/// A plain cell that two CPUs write.
fn data_race() -> Program {
    let mut layout = Layout::new();
    let (data, flag) = (layout.plain("data", 0u64), layout.atomic("flag", 0i32));
    let mut program = Program::new(layout);
    for name in ["cpu0", "cpu1"] {
        program.cpu(name, move |lane| {
            if flag.rmw(lane, Rmw::Add(1), RmwOrder::Relaxed) == 1 {
                data.read(lane);
            }
            data.write(lane, 1);
            Returned::nothing()
        });
    }
    program
}

/// A CPU that notices something.
fn fault(panics: bool) -> Program {
    let (layout, x, y) = gupcheck_trials::xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        x.store(lane, 1, Plainly);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("cpu1", move |lane| {
        if y.load(lane, Loose) == 1 && x.load(lane, Loose) == 0 {
            assert!(!panics, "it is so");
            lane.fault(Fault::Bug {
                what: "it is so",
                cell: None,
            });
        }
        r(0)
    });
    program
}

/// A CPU that waits for what another one leaves.
fn waits_in_vain() -> Program {
    let (layout, x, y) = gupcheck_trials::xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        x.store(lane, 1, Plainly);
        x.store(lane, 2, Plainly);
        Returned::nothing()
    });
    program.cpu("cpu1", move |lane| {
        if x.load(lane, Loose) == 1 {
            y.spin_until(lane, gupcheck_sync::Until::Equals(1), Loose);
        }
        Returned::nothing()
    });
    program
}

#[test]
fn every_kind_of_violation_comes_back() {
    type IsKind = fn(&Violation) -> bool;
    let kinds: [(fn() -> Program, IsKind); 5] = [
        (deadly_embrace, |v| matches!(v, Violation::Deadlock { .. })),
        (data_race, |v| matches!(v, Violation::DataRace { .. })),
        (|| fault(false), |v| matches!(v, Violation::Fault(_))),
        (|| fault(true), |v| matches!(v, Violation::Panic { .. })),
        (waits_in_vain, |v| matches!(v, Violation::Deadlock { .. })),
    ];
    for (make, is_kind) in kinds {
        assert!(is_kind(&same(GRAPH, Model::Rc11, make()).violation));
        assert!(is_kind(&same(LOOM, Model::LoomC11, make()).violation));
    }
    for model in [Model::Sc, Model::Tso] {
        for (make, is_kind) in [kinds[0], kinds[1], kinds[4]] {
            assert!(is_kind(&same(GRAPH, model, make()).violation));
        }
    }
}

/// Schedules that nobody made: a token's body can be anything.
mod invented {
    use gupcheck_program::{Decision, Path};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn lane() -> impl Strategy<Value = u8> {
        prop_oneof![4 => 0u8..3, 1 => any::<u8>()]
    }

    fn back() -> impl Strategy<Value = u16> {
        prop_oneof![4 => 0u16..3, 1 => any::<u16>()]
    }

    fn decision() -> impl Strategy<Value = Decision> {
        prop_oneof![
            lane().prop_map(Decision::Run),
            lane().prop_map(Decision::Read),
            any::<bool>().prop_map(Decision::Spurious),
        ]
    }

    /// Whatever the schedule says, there is an answer: an error that names what is wrong, or what came of it; and
    /// it invents no violation.
    fn is_answered(engine: &dyn Engine, model: Model, schedule: Schedule, looks_around: bool) {
        let (then, mut found) = stale_message();
        found.schedule = Some(schedule);
        let now = message(Variant {
            looks_around,
            ..Variant::default()
        });
        match again(engine, model, &(then, found), &now) {
            Ok(replayed) => {
                assert!(replayed.followed <= replayed.choices);
                // Nothing else can be wrong with this program.
                let broken = replayed.broken.map(|broken| broken.violation);
                assert!(
                    matches!(broken, None | Some(Violation::Property { .. })),
                    "{broken:?}"
                );
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_graph_engine_answers_any_schedule(
            choices in vec((lane(), back()), 0..20),
            looks_around: bool,
        ) {
            let choices = choices.into_iter().map(|(lane, back)| Choice {
                lane,
                back: u32::from(back),
            });
            is_answered(GRAPH, Model::Rc11, Schedule::Graph(choices.collect()), looks_around);
        }

        #[test]
        fn shuttle_answers_any_schedule(cpus in vec(lane(), 0..20), looks_around: bool) {
            is_answered(&ShuttleEngine::RANDOM, Model::Sc, Schedule::Cpus(cpus), looks_around);
        }

        #[test]
        fn loom_answers_any_path(
            first in lane(),
            decisions in vec(decision(), 0..20),
            looks_around: bool,
        ) {
            let path = Path { first, decisions };
            is_answered(LOOM, Model::LoomC11, Schedule::Loom(path), looks_around);
        }
    }
}
