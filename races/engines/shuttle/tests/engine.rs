//! The shuttle engine: what it sees, when it stops, and what it makes of a failing schedule.

use std::collections::BTreeSet;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{
    Cut, Engine, Exploration, Model, Program, Returned, Search, Stop, Verdict, Violation,
};
use gupcheck_shuttle::ShuttleEngine;
use gupcheck_sync::{Fault, LaneId, Layout, LockMode, Op, Until, What};
use gupcheck_trials::*;

const RANDOM: ShuttleEngine = ShuttleEngine::RANDOM;
const PCT: ShuttleEngine = ShuttleEngine::PCT;
const URW: ShuttleEngine = ShuttleEngine::URW;
const DFS: ShuttleEngine = ShuttleEngine::DFS;
const SAMPLERS: [ShuttleEngine; 3] = [RANDOM, PCT, URW];
const ALL: [ShuttleEngine; 4] = [RANDOM, PCT, URW, DFS];

fn every(program: Program) -> Exploration {
    explore(&DFS, program, &search())
}

/// What the graph engine sees under SC.
fn under_sc(program: Program) -> Exploration {
    let sc = Search {
        model: Model::Sc,
        ..search()
    };
    explore(&GraphEngine::ONE_THREAD, program, &sc)
}

// --- What is seen ------------------------------------------------------------------------------

#[test]
fn dfs_sees_all_of_sc_and_nothing_else() {
    let found = every(store_buffering(false));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 1], [1, 0], [1, 1]]));
    let found = every(message_passing(false));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 1]]));
}

#[test]
fn dfs_counts_schedules_and_fences_are_no_choices() {
    // Two CPUs with two operations each that matter: 4 over 2.
    for fenced in [false, true] {
        assert_eq!(every(store_buffering(fenced)).executions, 6);
    }
}

#[test]
fn samplers_stop_at_the_limit_and_never_claim_completeness() {
    for engine in SAMPLERS {
        let found = explore(&engine, store_buffering(false), &at_most(500));
        let verdict = &found.verdict;
        assert!(
            matches!(verdict, Verdict::Truncated(Cut::Executions(500))),
            "{} {verdict:?}",
            engine.name()
        );
        assert_eq!(found.executions, 500);
        // Two changes of priority, as PCT makes here, are all that so few operations have room for.
        if engine.name() != "shuttle-pct" {
            assert_eq!(results(&found), set([[0, 1], [1, 0], [1, 1]]));
        }
    }
}

#[test]
fn dfs_is_cut_only_if_there_is_more() {
    let found = explore(&DFS, store_buffering(false), &at_most(6));
    assert_complete(&found);
    let found = explore(&DFS, store_buffering(false), &at_most(5));
    assert!(matches!(
        found.verdict,
        Verdict::Truncated(Cut::Executions(5))
    ));
}

#[test]
fn one_cpu_has_one_execution_whatever_the_strategy() {
    for engine in ALL {
        let (layout, x, _) = xy();
        let mut program = Program::new(layout);
        program.cpu("cpu0", move |lane| r(x.load(lane, Loose)));
        let found = explore(&engine, program, &search());
        assert_complete(&found);
        assert_eq!(found.executions, 1);
    }
}

#[test]
fn a_seed_repeats_itself_and_is_told() {
    for engine in SAMPLERS {
        let run = || explore(&engine, store_buffering(false), &at_most(100));
        let (one, other) = (run(), run());
        assert_eq!(one.outcomes, other.outcomes);
        assert!(one.remarks[0].contains("seed"), "{:?}", one.remarks);
    }
}

#[test]
fn a_search_stops_when_asked() {
    let stop = Stop::default();
    stop.request();
    let found = explore(&DFS, store_buffering(false), &Search { stop, ..search() });
    assert!(matches!(
        found.verdict,
        Verdict::Truncated(Cut::Interrupted)
    ));
}

// --- Waiting -----------------------------------------------------------------------------------

#[test]
fn a_deadlock_says_who_waits_for_what() {
    assert_complete(&every(two_locks(true)));
    for engine in ALL {
        let found = explore(&engine, two_locks(false), &search());
        let Violation::Deadlock { waiting } = &broken(&found).violation else {
            panic!("{:?}", found.verdict);
        };
        let mut waiting: Vec<_> = waiting.clone();
        waiting.sort_by_key(|(lane, _)| *lane);
        let wants = |(lane, op): &(LaneId, Op)| (*lane, op.lock().expect("a lock").index());
        assert_eq!(
            waiting.iter().map(wants).collect::<Vec<_>>(),
            [(CPU0, 1), (CPU1, 0)]
        );
    }
}

fn waits_for_nothing(may: bool) -> Program {
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        x.store(lane, 1, Plainly);
        y.store(lane, 1, Plainly);
        x.store(lane, 0, Plainly);
        Returned::nothing()
    });
    program.cpu("cpu1", move |lane| {
        r(x.spin_until(lane, Until::Equals(1), Acquire))
    });
    if may {
        program.let_waits_fail();
    }
    program
}

#[test]
fn waiting_in_vain_is_a_deadlock_unless_it_may_be() {
    let found = every(waits_for_nothing(true));
    assert_complete(&found);
    assert_eq!((found.executions, found.blocked), (2, 1));
    let found = every(waits_for_nothing(false));
    assert!(matches!(
        broken(&found).violation,
        Violation::Deadlock { .. }
    ));
}

#[test]
fn shared_locks_are_shared_and_exclude_writers() {
    let build = || {
        let mut layout = Layout::new();
        let lock = layout.rw_lock("lock");
        let data = layout.plain("data", 0);
        let mut program = Program::new(layout);
        for name in ["reader0", "reader1"] {
            program.cpu(name, move |lane| {
                lock.lock(lane, LockMode::Shared);
                let seen = data.read(lane);
                lock.unlock(lane, LockMode::Shared);
                r(seen)
            });
        }
        program.cpu("writer", move |lane| {
            lock.lock(lane, LockMode::Exclusive);
            data.write(lane, 1);
            lock.unlock(lane, LockMode::Exclusive);
            Returned::nothing()
        });
        program
    };
    let found = every(build());
    assert_complete(&found);
    assert_eq!(results(&found), results(&under_sc(build())));
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
}

#[test]
fn a_spawned_cpu_starts_when_it_is_spawned_and_is_joined() {
    let build = |joins: bool| {
        let mut layout = Layout::new();
        let data = layout.plain("data", 0);
        let mut program = Program::new(layout);
        let child = LaneId(1);
        program.cpu("parent", move |lane| {
            data.write(lane, 1);
            lane.spawn(child);
            if joins {
                lane.join(child);
            }
            r(data.read(lane))
        });
        program.spawned_cpu("child", move |lane| {
            let seen = data.read(lane);
            data.write(lane, seen + 1);
            Returned::nothing()
        });
        program.spawned_cpu("never", |_| r(7));
        program
    };
    let found = every(build(true));
    assert_complete(&found);
    assert_eq!(results(&found), set([[2]]));
    for engine in ALL {
        let found = explore(&engine, build(false), &search());
        assert!(matches!(
            broken(&found).violation,
            Violation::DataRace { .. }
        ));
    }
}

// --- Violations --------------------------------------------------------------------------------

#[test]
fn a_race_is_found_even_where_it_comes_out_well() {
    assert_complete(&every(plain_message(true)));
    // Under SC a flag that is read tells, whatever its ordering: as the graph engine has it.
    assert_complete(&every(plain_message(false)));
    assert_complete(&under_sc(plain_message(false)));
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.write(lane, 1);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| r(data.read(lane)));
    let found = explore(&RANDOM, program, &search());
    let counterexample = broken(&found);
    assert_eq!(
        counterexample.violation,
        Violation::DataRace { cell: data.id() }
    );
    assert_eq!(counterexample.execution, 1);
    let last = counterexample.trace.last().expect("both accesses");
    let What::Op { from, .. } = last.what else {
        panic!("{last:?}")
    };
    assert_eq!(from, Some(gupcheck_sync::Source::Event(0)));
}

#[test]
fn faults_panics_and_properties_are_told_apart() {
    for engine in ALL {
        let mut layout = Layout::new();
        let life = layout.life("page", false);
        let mut program = Program::new(layout);
        program.cpu("cpu0", move |lane| {
            life.touch(lane);
            Returned::nothing()
        });
        let found = explore(&engine, program, &search());
        let fault = Fault::UseAfterFree { life: life.id() };
        assert_eq!(broken(&found).violation, Violation::Fault(fault));

        let (layout, x, _) = xy();
        let program = two(layout, move |lane| {
            let seen = x.load(lane, Loose);
            assert!(seen != 1, "one is unlucky");
            x.store(lane, 1, Plainly);
            Returned::nothing()
        });
        let found = explore(&engine, program, &search());
        let message = "one is unlucky".to_owned();
        assert_eq!(broken(&found).violation, Violation::Panic { message });

        let found = explore(&engine, lost_update(), &search());
        assert!(matches!(
            broken(&found).violation,
            Violation::Property { index: 0, .. }
        ));
    }
}

#[test]
fn what_never_happens_is_vacuous_once_all_is_seen() {
    let build = || {
        let mut program = store_buffering(false);
        program.sometimes("nobody sees anything", |end| {
            end.all_returned().iter().all(|r| r.get("r") == Some(0))
        });
        program
    };
    assert!(matches!(
        broken(&every(build())).violation,
        Violation::Vacuous { index: 0, .. }
    ));
    let sampled = explore(&RANDOM, build(), &at_most(200));
    assert!(matches!(sampled.verdict, Verdict::Truncated(_)));
}

#[test]
fn a_loop_without_end_is_refused() {
    let (layout, x, _) = xy();
    let program = two(layout, move |lane| {
        while x.load(lane, Loose) == 0 {}
        Returned::nothing()
    });
    let found = explore(&RANDOM, program, &search());
    assert!(matches!(&found.verdict, Verdict::Unsupported(why) if why.contains("million")));
}

// --- Against the graph engine ------------------------------------------------------------------

#[test]
fn dfs_and_the_graph_engine_see_the_same_under_sc() {
    let programs: [fn() -> Program; 5] = [
        || store_buffering(false),
        || message_passing(true),
        || plain_message(true),
        || two_locks(true),
        || {
            let (layout, x, y) = xy();
            let mut program = two(layout, move |lane| {
                let seen = x.load(lane, Loose);
                x.store(lane, seen + 1, Plainly);
                r(y.swap(lane, seen, Full))
            });
            program.observe(x.id());
            program
        },
    ];
    for build in programs {
        let (dfs, graph) = (every(build()), under_sc(build()));
        assert_complete(&dfs);
        let outcomes =
            |found: &Exploration| found.outcomes.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(outcomes(&dfs), outcomes(&graph));
        assert!(dfs.executions >= graph.executions);
    }
}
