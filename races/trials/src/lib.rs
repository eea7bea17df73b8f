//! Small programs that every engine is tried with, and shorthands for asking. For tests.

pub mod claims;
pub mod dependencies;
pub mod looks;
pub mod sections;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gupcheck_program::{
    Counterexample, Engine, Exploration, Fingerprint, Limits, Model, Program, Replay, Returned,
    Search, Verdict, Violation,
};
use gupcheck_sync::{
    Atomic, FenceOrder, Lane, LaneId, Layout, LoadOrder, Op, RmwOrder, StoreOrder, Until,
};

pub use LoadOrder::{Acquire, Dependency, Relaxed as Loose};
pub use RmwOrder::Full;
pub use StoreOrder::{Relaxed as Plainly, Release};

/// A search without limits.
pub fn search() -> Search<'static> {
    Search::unlimited(Model::LoomC11)
}

/// A search of at most so many executions.
pub fn at_most(executions: u64) -> Search<'static> {
    Search {
        limits: Limits {
            executions: Some(executions),
            time: None,
            memory: None,
        },
        ..search()
    }
}

/// A search of at most so much time.
pub fn within(time: Duration) -> Search<'static> {
    Search {
        limits: Limits {
            executions: None,
            time: Some(time),
            memory: None,
        },
        ..search()
    }
}

/// The numbers that each CPU returned as `r`, in order, one tuple an outcome.
pub fn results(exploration: &Exploration) -> BTreeSet<Vec<i64>> {
    (exploration.outcomes.keys())
        .map(|outcome| {
            (outcome.returned.iter())
                .flat_map(|returned| returned.all("r"))
                .collect()
        })
        .collect()
}

/// The set of these outcomes.
pub fn set<const N: usize, const M: usize>(of: [[i64; N]; M]) -> BTreeSet<Vec<i64>> {
    of.into_iter().map(Vec::from).collect()
}

/// The counterexample, or a panic that says what there was instead.
pub fn broken(exploration: &Exploration) -> &Counterexample {
    match &exploration.verdict {
        Verdict::Failed(counterexample) => counterexample,
        other => panic!(
            "expected a violation, got {other:?} {:?}",
            exploration.remarks
        ),
    }
}

/// Who waits in a deadlock, by CPU, or a panic that says what there was instead.
pub fn waiting(exploration: &Exploration) -> Vec<(LaneId, Op)> {
    let Violation::Deadlock { waiting } = &broken(exploration).violation else {
        panic!("expected a deadlock, got {:?}", exploration.verdict);
    };
    let mut waiting = waiting.clone();
    waiting.sort_by_key(|(lane, _)| *lane);
    waiting
}

/// The message of a panic, or a panic that says what there was instead.
pub fn message(exploration: &Exploration) -> &str {
    match &broken(exploration).violation {
        Violation::Panic { message } => message,
        other => panic!("expected a panic, got {other:?}"),
    }
}

/// Explores, finds something broken, and runs that very execution again by its schedule.
pub fn assert_replays(engine: &dyn Engine, program: Program) {
    assert_replays_under(search().model, engine, program);
}

/// The same, under this model.
pub fn assert_replays_under(model: Model, engine: &dyn Engine, program: Program) {
    let program = Arc::new(program);
    let search = Search { model, ..search() };
    let found = engine.explore(&program, &search);
    let found = broken(&found);
    let replay = Replay {
        model: search.model,
        schedule: found.schedule.as_ref().expect("a schedule"),
        fingerprint: &Fingerprint::of(&program, &found.trace),
        execution: found.execution,
    };
    let again = engine.replay(&program, &replay).expect("it fits");
    assert_eq!(again.misfit, None);
    assert_eq!(again.followed, again.choices);
    let again = again.broken.expect("broken again");
    assert_eq!(again.violation, found.violation);
    assert_eq!(again.trace, found.trace);
    assert_eq!(again.memory, found.memory);
    assert_eq!(again.returned, found.returned);
}

/// A CPU's result of one number.
pub fn r(value: i32) -> Returned {
    Returned::nothing().int("r", i64::from(value))
}

/// Two cells, `x` and `y`, both 0.
pub fn xy() -> (Layout, Atomic<i32>, Atomic<i32>) {
    let mut layout = Layout::new();
    let x = layout.atomic("x", 0);
    let y = layout.atomic("y", 0);
    (layout, x, y)
}

/// Store buffering: each CPU stores to one cell and loads the other.
pub fn store_buffering(fenced: bool) -> Program {
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    for (name, mine, other) in [("cpu0", x, y), ("cpu1", y, x)] {
        program.cpu(name, move |lane| {
            mine.store(lane, 1, Plainly);
            if fenced {
                lane.fence(FenceOrder::SeqCst);
            }
            r(other.load(lane, Loose))
        });
    }
    program
}

/// Each CPU waits for what the other one would write after its own wait; the first would not have to, had it read an older
/// value.
pub fn hang() -> Program {
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    program.cpu("a", move |lane| {
        x.spin_until(lane, Until::Equals(0), Loose);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("b", move |lane| {
        x.store(lane, 1, Plainly);
        y.spin_until(lane, Until::Equals(1), Loose);
        Returned::nothing()
    });
    program
}

/// Message passing through two atomic cells.
pub fn message_passing(ordered: bool) -> Program {
    let (layout, data, flag) = xy();
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.store(lane, 1, Plainly);
        flag.store(lane, 1, if ordered { Release } else { Plainly });
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        let ready = flag.load(lane, if ordered { Acquire } else { Loose });
        Returned::nothing()
            .int("r", i64::from(ready))
            .int("r", i64::from(data.load(lane, Loose)))
    });
    program
}

/// Message passing of a plain cell.
pub fn plain_message(ordered: bool) -> Program {
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let flag = layout.atomic("flag", false);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.write(lane, 1);
        flag.store(lane, true, if ordered { Release } else { Plainly });
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        if flag.load(lane, if ordered { Acquire } else { Loose }) {
            r(data.read(lane))
        } else {
            r(-1)
        }
    });
    program
}

/// Explores.
pub fn explore(engine: &dyn Engine, program: Program, search: &Search<'_>) -> Exploration {
    engine.explore(&Arc::new(program), search)
}

/// Nothing was found, and nothing was left out.
pub fn assert_complete(exploration: &Exploration) {
    assert!(
        matches!(exploration.verdict, Verdict::Complete),
        "{:?} {:?}",
        exploration.verdict,
        exploration.remarks
    );
}

/// Two CPUs that do the same.
pub fn two(
    layout: Layout,
    body: impl Fn(&Lane<'_>) -> Returned + Clone + Send + Sync + 'static,
) -> Program {
    let mut program = Program::new(layout);
    program.cpu("cpu0", body.clone());
    program.twin_cpu("cpu1", LaneId(0), body);
    program
}

/// Two CPUs add one to a cell without an atomic update.
pub fn lost_update() -> Program {
    let (layout, x, _) = xy();
    let mut program = two(layout, move |lane| {
        let seen = x.load(lane, Loose);
        x.store(lane, seen + 1, Plainly);
        Returned::nothing()
    });
    program.always("both additions count", move |end| end.value(x) == 2);
    program
}

/// Two CPUs take two locks, in orders that agree or not.
pub fn two_locks(agree: bool) -> Program {
    let mut layout = Layout::new();
    let a = layout.spin_lock("a");
    let b = layout.spin_lock("b");
    let mut program = Program::new(layout);
    for (name, first, second) in [
        ("cpu0", a, b),
        if agree {
            ("cpu1", a, b)
        } else {
            ("cpu1", b, a)
        },
    ] {
        program.cpu(name, move |lane| {
            first.lock(lane);
            second.lock(lane);
            second.unlock(lane);
            first.unlock(lane);
            Returned::nothing()
        });
    }
    program
}

/// The lanes of a two-CPU program.
pub const CPU0: LaneId = LaneId(0);
/// The second of them.
pub const CPU1: LaneId = LaneId(1);
