//! The native engine: real threads, exact limits, and nobody left waiting.

use std::time::Duration;

use gupcheck_native::NativeEngine;
use gupcheck_program::{Cut, Exploration, Program, Returned, Search, Stop, Verdict, Violation};
use gupcheck_sync::{Fault, LaneId, Layout, LockMode, Op, Rmw, Until, What};
use gupcheck_trials::*;

fn rounds(program: Program, n: u64) -> Exploration {
    explore(&NativeEngine, program, &at_most(n))
}

fn assert_held(exploration: &Exploration, n: u64) {
    assert!(
        matches!(exploration.verdict, Verdict::Truncated(Cut::Executions(m)) if m == n),
        "{:?}",
        exploration.verdict
    );
    assert_eq!(exploration.executions, n);
    assert_eq!(exploration.outcomes.values().sum::<u64>(), n);
}

#[test]
fn sc_fences_forbid_store_buffering_on_the_machine_too() {
    let found = rounds(store_buffering(true), 5_000);
    assert_held(&found, 5_000);
    assert!(results(&found).is_subset(&set([[0, 1], [1, 0], [1, 1]])));
}

#[test]
fn message_passing_holds() {
    let found = rounds(message_passing(true), 5_000);
    assert_held(&found, 5_000);
    assert!(results(&found).is_subset(&set([[0, 0], [0, 1], [1, 1]])));
}

#[test]
fn without_limits_it_samples_and_says_so() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| r(x.load(lane, Loose)));
    let found = explore(&NativeEngine, program, &search());
    assert!(matches!(found.verdict, Verdict::Truncated(Cut::Sampling)));
    assert_eq!(found.executions, 100_000);
}

#[test]
fn limits_are_exact() {
    for n in [0, 1, 7] {
        assert_held(&rounds(store_buffering(false), n), n);
    }
    let found = explore(
        &NativeEngine,
        store_buffering(false),
        &within(Duration::ZERO),
    );
    assert!(matches!(
        found.verdict,
        Verdict::Truncated(Cut::Time(Duration::ZERO))
    ));
    let stop = Stop::default();
    stop.request();
    let found = explore(
        &NativeEngine,
        store_buffering(false),
        &Search { stop, ..search() },
    );
    assert!(matches!(
        found.verdict,
        Verdict::Truncated(Cut::Interrupted)
    ));
}

#[test]
fn the_world_is_new_in_every_round() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    for name in ["cpu0", "cpu1", "cpu2"] {
        program.cpu(name, move |lane| r(x.rmw(lane, Rmw::Add(1), Full)));
    }
    program.always("three are counted", move |end| end.value(x) == 3);
    assert_held(&rounds(program, 2_000), 2_000);
}

#[test]
fn conditional_rmws_refuse_or_write() {
    let mut layout = Layout::new();
    let refcount = layout.atomic("refcount", 1);
    let mut program = Program::new(layout);
    program.cpu("get", move |lane| {
        let unless_zero = Rmw::AddUnless { add: 1, unless: 0 };
        r(refcount.rmw(lane, unless_zero, Full))
    });
    program.cpu("put", move |lane| {
        r(refcount.rmw(lane, Rmw::Add((-1i64) as u64), Full))
    });
    program.always("a dead count stays dead", move |end| {
        let refused = end.returned(LaneId(0)).get("r") == Some(0);
        end.value(refcount) == i32::from(!refused)
    });
    assert_held(&rounds(program, 2_000), 2_000);
}

#[test]
fn locks_exclude_and_share() {
    let mut layout = Layout::new();
    let lock = layout.rw_lock("mmap_lock");
    let ptl = layout.spin_lock("ptl");
    let count = layout.plain("count", 0);
    let mut program = Program::new(layout);
    for name in ["cpu0", "cpu1", "cpu2"] {
        program.cpu(name, move |lane| {
            lock.lock(lane, LockMode::Shared);
            ptl.lock(lane);
            let old = count.read(lane);
            count.write(lane, old + 1);
            ptl.unlock(lane);
            lock.unlock(lane, LockMode::Shared);
            lock.lock(lane, LockMode::Exclusive);
            let now = count.read(lane);
            count.write(lane, now + 1);
            lock.unlock(lane, LockMode::Exclusive);
            Returned::nothing()
        });
    }
    program.always("all six are counted", move |end| end.plain(count) == 6);
    assert_held(&rounds(program, 1_000), 1_000);
}

#[test]
fn spawn_spin_and_join() {
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let flag = layout.atomic("flag", 0);
    let mut program = Program::new(layout);
    let child = LaneId(1);
    program.cpu("parent", move |lane| {
        data.write(lane, 1);
        lane.spawn(child);
        flag.spin_until(lane, Until::Equals(1), Acquire);
        let seen = data.read(lane);
        lane.join(child);
        r(seen).int("r", i64::from(data.read(lane)))
    });
    program.spawned_cpu("child", move |lane| {
        let found = data.read(lane);
        data.write(lane, found + 1);
        flag.store(lane, 1, Release);
        Returned::nothing()
    });
    program.spawned_cpu("idle", |_| unreachable!("nobody spawns it"));
    let found = rounds(program, 1_000);
    assert_held(&found, 1_000);
    assert_eq!(results(&found), set([[2, 2]]));
}

#[test]
fn a_cpu_that_only_sometimes_runs_leaves_nothing_behind() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    let child = LaneId(1);
    program.cpu("parent", move |lane| {
        let decided = x.load(lane, Loose);
        if decided == 1 {
            lane.spawn(child);
        }
        r(decided)
    });
    program.spawned_cpu("child", |_| r(7));
    program.cpu("decider", move |lane| {
        x.store(lane, 1, Plainly);
        Returned::nothing()
    });
    let found = rounds(program, 2_000);
    assert_held(&found, 2_000);
    assert!(results(&found).is_subset(&[vec![0], vec![1, 7]].into()));
}

// --- Violations --------------------------------------------------------------------------------

#[test]
fn a_fault_frees_whoever_spins() {
    let mut layout = Layout::new();
    let flag = layout.atomic("flag", 0);
    let ptl = layout.spin_lock("ptl");
    let page = layout.life("page0", false);
    let mut program = Program::new(layout);
    program.cpu("faulting", move |lane| {
        ptl.lock(lane);
        page.touch(lane);
        Returned::nothing()
    });
    program.cpu("spinning", move |lane| {
        flag.spin_until(lane, Until::Equals(1), Acquire);
        Returned::nothing()
    });
    program.cpu("locking", move |lane| {
        flag.spin_until(lane, Until::Equals(1), Acquire);
        ptl.lock(lane);
        Returned::nothing()
    });
    let found = rounds(program, 10);
    let failed = broken(&found);
    assert_eq!(
        failed.violation,
        Violation::Fault(Fault::UseAfterFree { life: page.id() })
    );
    assert_eq!((failed.execution, found.executions), (1, 1));
    let mine: Vec<_> = failed.trace.iter().filter(|e| e.lane == CPU0).collect();
    assert!(matches!(
        mine[..],
        [a, b] if matches!(a.what, What::Op { op: Op::Lock { .. }, .. })
            && matches!(b.what, What::Op { op: Op::Read { .. }, read: Some(0), .. })
    ));
}

#[test]
fn a_broken_property_comes_with_every_cpus_events() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    for name in ["cpu0", "cpu1"] {
        program.cpu(name, move |lane| r(x.rmw(lane, Rmw::Add(1), Full)));
    }
    program.always("x stays below 2", move |end| end.value(x) < 2);
    let found = rounds(program, 10);
    let failed = broken(&found);
    assert!(matches!(
        failed.violation,
        Violation::Property { index: 0, .. }
    ));
    assert_eq!(failed.memory, [2, 0]);
    let lanes: Vec<_> = failed.trace.iter().map(|event| event.lane).collect();
    assert_eq!(lanes, [CPU0, CPU1]);
    assert!(found.remarks[1].contains("not in time"));
}

#[test]
fn a_panic_is_its_message_and_nobody_elses_business() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        assert!(x.load(lane, Loose) == 1, "x is not 1");
        Returned::nothing()
    });
    let found = rounds(program, 10);
    let message = "x is not 1".to_owned();
    assert_eq!(broken(&found).violation, Violation::Panic { message });
}

#[test]
fn waiting_for_each_other_is_a_deadlock() {
    let mut layout = Layout::new();
    let a = layout.atomic("a", 0);
    let b = layout.atomic("b", 0);
    let mut program = Program::new(layout);
    for (name, mine, other) in [("cpu0", a, b), ("cpu1", b, a)] {
        program.cpu(name, move |lane| {
            other.spin_until(lane, Until::Equals(1), Acquire);
            mine.store(lane, 1, Release);
            Returned::nothing()
        });
    }
    let found = rounds(program, 10);
    let Violation::Deadlock { waiting } = &broken(&found).violation else {
        panic!("{:?}", found.verdict);
    };
    let cells: Vec<_> = waiting
        .iter()
        .map(|(lane, op)| (*lane, op.cell()))
        .collect();
    assert_eq!(cells, [(CPU0, Some(b.id())), (CPU1, Some(a.id()))]);
}

#[test]
fn a_lock_that_its_holder_takes_again_is_a_deadlock() {
    let mut layout = Layout::new();
    let ptl = layout.spin_lock("ptl");
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        ptl.lock(lane);
        ptl.lock(lane);
        Returned::nothing()
    });
    let found = rounds(program, 10);
    assert!(matches!(
        &broken(&found).violation,
        Violation::Deadlock { waiting } if waiting.len() == 1
    ));
}
