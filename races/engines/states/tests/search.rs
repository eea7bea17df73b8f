//! What the states engine promises beside what random programs show.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{
    Cut, Engine, Exploration, Limits, Model, Program, Returned, Search, Verdict, Violation,
};
use gupcheck_states::StatesEngine;
use gupcheck_sync::{Layout, LoadOrder, Rmw, RmwOrder, StoreOrder, Until};
use gupcheck_trials::{assert_replays_under, broken, hang, r, waiting, xy};

fn explored(program: &Arc<Program>, model: Model) -> Exploration {
    StatesEngine::XXH3.explore(program, &Search::unlimited(model))
}

/// CPUs that each add to a cell of their own and to a common one, so many times.
fn adders(cpus: u32, times: u32) -> Program {
    let mut layout = Layout::new();
    let common = layout.atomic("common", 0_i32);
    let own: Vec<_> = (0..cpus).map(|_| layout.atomic("own", 0_i32)).collect();
    let mut program = Program::new(layout);
    for own in own {
        program.cpu("adder", move |cpu| {
            for _ in 0..times {
                own.update(cpu, Rmw::Add(1), RmwOrder::Relaxed);
                common.update(cpu, Rmw::Add(1), RmwOrder::Relaxed);
            }
            Returned::nothing()
        });
    }
    program.always("nothing is lost", move |end| {
        end.value(common) == (cpus * times) as i32
    });
    program
}

/// Executions are as many as orders, states are as many as sums.
#[test]
fn executions_that_come_together_are_one() {
    let program = Arc::new(adders(3, 4));
    let explored = explored(&program, Model::Sc);
    assert!(
        matches!(explored.verdict, Verdict::Complete),
        "{explored:?}"
    );
    let states = explored.states.expect("it counts states");
    // How far each has come, but where only one is left to come on.
    assert!((50..5 * 5 * 5).contains(&states.states), "{states:?}");
    let graph = GraphEngine::ONE_THREAD.explore(&program, &Search::unlimited(Model::Sc));
    assert_eq!(graph.executions, 34_650, "12! / 4!^3");
    assert_eq!(explored.executions, 0, "not counted, and not invented");
    assert!(states.collision() < 1e-30);
}

/// The same with values that are looked at: all orders are told apart, and no more states than code.
#[test]
fn outcomes_are_those_of_the_graph_engine() {
    for model in [Model::Sc, Model::Tso] {
        let program = || {
            let (layout, x, y) = xy();
            let mut program = Program::new(layout);
            for (mine, other) in [(x, y), (y, x)] {
                program.cpu("cpu", move |cpu| {
                    mine.store(cpu, 1, StoreOrder::Relaxed);
                    r(other.load(cpu, LoadOrder::Relaxed))
                });
            }
            Arc::new(program)
        };
        let graph = GraphEngine::ONE_THREAD.explore(&program(), &Search::unlimited(model));
        let states = explored(&program(), model);
        let outcomes = |explored: &Exploration| {
            let mut all: Vec<_> = explored.outcomes.keys().cloned().collect();
            all.sort();
            all
        };
        assert_eq!(outcomes(&states), outcomes(&graph), "{model}");
        let expected = if model == Model::Tso { 4 } else { 3 };
        assert_eq!(states.outcomes.len(), expected, "{model}");
    }
}

/// Two ways to break the rule, of which the CPU that comes first in the program takes the longer.
#[test]
fn the_nearest_violation_is_told() {
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    program.cpu("long", move |cpu| {
        for value in 1..20 {
            y.store(cpu, value, StoreOrder::Relaxed);
        }
        x.store(cpu, 1, StoreOrder::Relaxed);
        Returned::nothing()
    });
    program.cpu("waits", move |cpu| {
        // Ends at once or, in vain, never: it sees the first of these or waits for what does not come again.
        y.spin_until(cpu, Until::Equals(1), LoadOrder::Relaxed);
        Returned::nothing()
    });
    let program = Arc::new(program);
    let explored = explored(&program, Model::Sc);
    let found = broken(&explored);
    assert!(
        matches!(found.violation, Violation::Deadlock { .. }),
        "{found:?}"
    );
    assert_eq!(
        found.trace.len(),
        20,
        "all that one does, and nothing of the other"
    );
}

/// A hang that a CPU would have escaped, had it read an older value: the graph engine follows its schedule.
#[test]
fn a_hang_is_replayed_as_a_hang() {
    let engine: &dyn Engine = &StatesEngine::XXH3;
    assert_eq!(engine.replayed_by(), "graph");
    for model in [Model::Sc, Model::Tso] {
        let found = explored(&Arc::new(hang()), model);
        assert_eq!(waiting(&found).len(), 2);
        assert_replays_under(model, engine, hang());
    }
}

/// With a hash that takes many states for one, outcomes go missing: that is what a collision does, and what comparing
/// with the graph engine would find.
#[test]
fn a_weak_hash_loses_outcomes() {
    let weak = StatesEngine {
        hash: |bytes| {
            bytes
                .iter()
                .fold(0, |sum, &byte| (sum + u128::from(byte)) % 13)
        },
        ..StatesEngine::XXH3
    };
    let program = || {
        let (layout, x, _) = xy();
        let mut program = Program::new(layout);
        for add in [1, 2, 4] {
            program.cpu("cpu", move |cpu| {
                let first = x.rmw(cpu, Rmw::Add(add), RmwOrder::Relaxed);
                let then = x.rmw(cpu, Rmw::Add(add), RmwOrder::Relaxed);
                r(first + 100 * then)
            });
        }
        Arc::new(program)
    };
    let search = Search::unlimited(Model::Sc);
    let sound = StatesEngine::XXH3.explore(&program(), &search);
    let graph = GraphEngine::ONE_THREAD.explore(&program(), &search);
    assert_eq!(sound.outcomes.len(), graph.outcomes.len());
    let lossy = weak.explore(&program(), &search);
    assert!(
        matches!(lossy.verdict, Verdict::Complete),
        "and nobody notices"
    );
    assert!(lossy.outcomes.len() < graph.outcomes.len());
}

/// A CPU that is no twin is told, not believed.
#[test]
fn a_false_twin_is_found_out() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    let first = program.cpu("first", move |cpu| r(x.load(cpu, LoadOrder::Relaxed)));
    program.twin_cpu("second", first, move |cpu| {
        x.store(cpu, 1, StoreOrder::Relaxed);
        Returned::nothing()
    });
    let explored = explored(&Arc::new(program), Model::Sc);
    let Verdict::Unsupported(why) = &explored.verdict else {
        panic!("{explored:?}");
    };
    assert!(why.contains("second is declared a twin"), "{why}");
}

/// Limits are honoured, and reported as what cut the search.
#[test]
fn a_search_that_is_cut_says_by_what() {
    let cut = |limits: Limits| {
        let search = Search {
            limits,
            ..Search::unlimited(Model::Sc)
        };
        match StatesEngine::XXH3
            .explore(&Arc::new(adders(4, 6)), &search)
            .verdict
        {
            Verdict::Truncated(cut) => cut,
            other => panic!("{other:?}"),
        }
    };
    let none = Limits::default();
    let states = cut(Limits {
        executions: Some(500),
        ..none
    });
    assert_eq!(states, Cut::States(500));
    let memory = cut(Limits {
        memory: Some(50_000),
        ..none
    });
    assert_eq!(memory, Cut::Memory(50_000));
    let time = std::time::Duration::from_nanos(1);
    assert_eq!(
        cut(Limits {
            time: Some(time),
            ..none
        }),
        Cut::Time(time)
    );
}

/// Only SC and TSO have states.
#[test]
fn other_models_are_refused() {
    let explored = explored(&Arc::new(adders(2, 1)), Model::Rc11);
    let Verdict::Unsupported(why) = &explored.verdict else {
        panic!("{explored:?}");
    };
    assert!(why.contains("does not know the model rc11"), "{why}");
}

/// A violation that is found in a search that is cut before the nearest is known: it is one.
#[test]
fn a_violation_stands_in_a_search_that_is_cut() {
    let mut program = adders(4, 6);
    program.always("nobody is ever done", |_| false);
    let search = |limits| Search {
        limits,
        ..Search::unlimited(Model::Sc)
    };
    let program = Arc::new(program);
    let all = StatesEngine::XXH3.explore(&program, &search(Limits::default()));
    let enough = all.states.expect("it counts states").states;
    let cut = Limits {
        executions: Some(enough + 1),
        ..Limits::default()
    };
    let cut = StatesEngine::XXH3.explore(&program, &search(cut));
    assert_eq!(broken(&all).violation, broken(&cut).violation);
    let shorter = |remark: &String| remark.starts_with("there may be a shorter counterexample");
    assert!(!all.remarks.iter().any(shorter), "{:?}", all.remarks);
    assert!(cut.remarks.iter().any(shorter), "{:?}", cut.remarks);
}
