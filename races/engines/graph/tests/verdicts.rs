//! What the graph engine says beside counts: violations with their traces, limits, blocked executions.

use std::sync::Arc;
use std::time::Duration;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{
    Counterexample, Cut, Engine, Exploration, Limits, Model, Program, Returned, Search, Stop,
    Unwatched, Verdict, Violation,
};
use gupcheck_sync::{
    Fault, LaneId, Layout, LoadOrder, Note, Op, RmwOrder, Source, StoreOrder, Until, What,
};
use gupcheck_trials::{assert_replays_under, hang};

fn explore_within(program: Program, model: Model, limits: Limits, stop: Stop) -> Exploration {
    let search = Search {
        model,
        limits,
        stop,
        watch: &Unwatched,
    };
    GraphEngine::default().explore(&Arc::new(program), &search)
}

fn explore(program: Program) -> Exploration {
    explore_within(program, Model::Rc11, Limits::default(), Stop::default())
}

fn failure(program: Program) -> Counterexample {
    match explore(program).verdict {
        Verdict::Failed(found) => *found,
        other => panic!("{other:?}"),
    }
}

/// Four CPUs that each store to one cell: 24 executions.
fn four_stores() -> Program {
    let mut layout = Layout::new();
    let x = layout.atomic("x", 0);
    let mut program = Program::new(layout);
    for value in 1..=4 {
        program.cpu("cpu", move |cpu| {
            x.store(cpu, value, StoreOrder::Relaxed);
            Returned::nothing()
        });
    }
    program
}

#[test]
fn a_limit_on_executions_is_exact() {
    let limited = |executions| {
        let limits = Limits {
            executions: Some(executions),
            time: None,
            memory: None,
        };
        explore_within(four_stores(), Model::Sc, limits, Stop::default())
    };
    for limit in [0, 1, 23] {
        let explored = limited(limit);
        assert_eq!(explored.executions, limit);
        let cut = matches!(explored.verdict, Verdict::Truncated(Cut::Executions(l)) if l == limit);
        assert!(cut, "{:?}", explored.verdict);
    }
    for limit in [24, 25] {
        let explored = limited(limit);
        assert_eq!(explored.executions, 24);
        assert!(matches!(explored.verdict, Verdict::Complete));
    }
}

#[test]
fn no_time_and_a_request_to_stop_truncate() {
    let limits = Limits {
        executions: None,
        time: Some(Duration::ZERO),
        memory: None,
    };
    let explored = explore_within(four_stores(), Model::Sc, limits, Stop::default());
    assert!(matches!(explored.verdict, Verdict::Truncated(Cut::Time(_))));
    let stop = Stop::default();
    stop.request();
    let explored = explore_within(four_stores(), Model::Sc, Limits::default(), stop);
    let cut = matches!(explored.verdict, Verdict::Truncated(Cut::Interrupted));
    assert!(cut, "{:?}", explored.verdict);
}

#[test]
fn a_deadlock_says_who_waits_for_what() {
    let mut layout = Layout::new();
    let (a, b) = (layout.spin_lock("a"), layout.spin_lock("b"));
    let mut program = Program::new(layout);
    for (first, second) in [(a, b), (b, a)] {
        program.cpu("cpu", move |cpu| {
            first.lock(cpu);
            second.lock(cpu);
            second.unlock(cpu);
            first.unlock(cpu);
            Returned::nothing()
        });
    }
    let Violation::Deadlock { waiting } = failure(program).violation else {
        panic!("not a deadlock");
    };
    let lanes: Vec<LaneId> = waiting.iter().map(|&(lane, _)| lane).collect();
    assert_eq!(lanes, [LaneId(0), LaneId(1)]);
    assert!(waiting.iter().all(|(_, op)| matches!(op, Op::Lock { .. })));
}

fn a_wait_in_vain() -> Program {
    let mut layout = Layout::new();
    let x = layout.atomic("x", 0);
    let mut program = Program::new(layout);
    program.cpu("waits", move |cpu| {
        x.spin_until(cpu, Until::Equals(2), LoadOrder::Acquire);
        Returned::nothing()
    });
    program.cpu("stores", move |cpu| {
        x.store(cpu, 1, StoreOrder::Relaxed);
        Returned::nothing()
    });
    program
}

#[test]
fn a_spin_that_nobody_ends_is_a_hang() {
    let explored = explore(a_wait_in_vain());
    let Verdict::Failed(found) = explored.verdict else {
        panic!("{:?}", explored.verdict);
    };
    assert!(matches!(
        &found.violation,
        Violation::Deadlock { waiting } if matches!(waiting[..], [(LaneId(0), Op::SpinUntil { .. })])
    ));
}

#[test]
fn a_spin_that_nobody_ends_is_blocked_where_the_program_says_so() {
    let mut program = a_wait_in_vain();
    program.let_waits_fail();
    let explored = explore(program);
    assert!(matches!(explored.verdict, Verdict::Complete));
    assert_eq!((explored.executions, explored.blocked), (0, 1));
}

#[test]
fn a_spin_under_a_lock_that_the_writer_wants_is_a_deadlock() {
    let mut layout = Layout::new();
    let (lock, x) = (layout.spin_lock("lock"), layout.atomic("x", 0));
    let mut program = Program::new(layout);
    program.cpu("waits", move |cpu| {
        lock.lock(cpu);
        x.spin_until(cpu, Until::Differs(0), LoadOrder::Acquire);
        lock.unlock(cpu);
        Returned::nothing()
    });
    program.cpu("stores", move |cpu| {
        lock.lock(cpu);
        x.store(cpu, 1, StoreOrder::Relaxed);
        lock.unlock(cpu);
        Returned::nothing()
    });
    let Verdict::Failed(found) = explore(program).verdict else {
        panic!("not found");
    };
    assert!(matches!(&found.violation, Violation::Deadlock { waiting } if waiting.len() == 2));
}

#[test]
fn a_data_race_ends_its_trace() {
    let mut layout = Layout::new();
    let life = layout.life("folio", true);
    let mut program = Program::new(layout);
    program.cpu("uses", move |cpu| {
        let _span = cpu.span("use_folio");
        life.touch(cpu);
        Returned::nothing()
    });
    program.cpu("frees", move |cpu| {
        life.free(cpu);
        Returned::nothing()
    });
    let found = failure(program);
    assert_eq!(found.violation, Violation::DataRace { cell: life.id() });
    let last: Vec<Op> = (found.trace.iter().rev())
        .filter_map(|event| match event.what {
            What::Op { op, .. } => Some(op),
            What::Drain { .. } | What::Note(_) => None,
        })
        .take(2)
        .collect();
    // Minimised: the free without an interruption, and then the use.
    assert!(matches!(last[..], [Op::Read { .. }, Op::Write { .. }]));
    let entered = |event: &&gupcheck_sync::Event| matches!(event.what, What::Note(Note::Enter(_)));
    assert_eq!(found.trace.iter().filter(entered).count(), 1);
}

#[test]
fn a_trace_says_where_each_value_came_from() {
    let mut layout = Layout::new();
    let x = layout.atomic("x", 0);
    let mut program = Program::new(layout);
    program.cpu("reads", move |cpu| {
        let first = x.load(cpu, LoadOrder::Relaxed);
        let second = x.swap(cpu, 9, RmwOrder::Full);
        Returned::nothing()
            .int("first", first.into())
            .int("second", second.into())
    });
    program.cpu("writes", move |cpu| {
        x.store(cpu, 7, StoreOrder::Release);
        Returned::nothing()
    });
    program.always("the swap does not see 7 after a 0", |end| {
        let reads = end.returned(LaneId(0));
        (reads.get("first"), reads.get("second")) != (Some(0), Some(7))
    });
    let found = failure(program);
    assert_eq!(found.memory, [9]);
    for event in &found.trace {
        let What::Op {
            read: Some(read),
            from: Some(from),
            ..
        } = event.what
        else {
            continue;
        };
        match from {
            Source::Init => assert_eq!(read, 0),
            Source::Event(at) => {
                let What::Op { wrote, .. } = found.trace[at].what else {
                    panic!("a note writes nothing");
                };
                assert_eq!(wrote, Some(read));
            }
        }
    }
    let swaps = (found.trace.iter()).filter(|e| {
        matches!(
            e.what,
            What::Op {
                op: Op::Rmw { .. },
                read: Some(7),
                wrote: Some(9),
                ..
            }
        )
    });
    assert_eq!(swaps.count(), 1);
}

#[test]
fn faults_panics_and_vacuous_properties_are_violations() {
    let mut program = four_stores();
    program.cpu("bug", |cpu| {
        cpu.fault(Fault::Bug {
            what: "unreachable",
            cell: None,
        })
    });
    assert!(matches!(
        failure(program).violation,
        Violation::Fault(Fault::Bug { .. })
    ));

    let mut program = four_stores();
    program.sometimes("never", |_| false);
    let vacuous = Violation::Vacuous {
        index: 0,
        text: "never".to_owned(),
    };
    assert_eq!(failure(program).violation, vacuous);

    let mut program = four_stores();
    program.cpu("panics", |_| std::panic::panic_any("by design"));
    let Violation::Panic { message } = failure(program).violation else {
        panic!("another violation");
    };
    let place = "by design (at races/engines/graph/tests/verdicts.rs:";
    assert!(message.starts_with(place), "{message}");
}

/// A CPU waits in vain, and would not have to if it had read an older value. Its schedule was followed to where it could go
/// on, and not judged.
#[test]
fn a_hang_that_an_older_value_would_have_ended_is_replayed() {
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        assert_replays_under(model, &GraphEngine::ONE_THREAD, hang());
    }
}
