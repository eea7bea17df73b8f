//! The loom engine: locks, waiting, starting, and the violations it finds.

mod common;

use common::explored;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{Cut, Program, Returned, Verdict, Violation};
use gupcheck_sync::{Event, Fault, LaneId, Layout, LockMode, Op, Rmw, Source, Until, What};
use gupcheck_trials::*;

// --- Locks, waiting, starting ------------------------------------------------------------------

#[test]
fn a_spin_lock_protects_a_plain_cell() {
    let mut layout = Layout::new();
    let ptl = layout.spin_lock("ptl");
    let count = layout.plain("count", 0);
    let mut program = two(layout, move |lane| {
        ptl.lock(lane);
        let old = count.read(lane);
        count.write(lane, old + 1);
        ptl.unlock(lane);
        r(old)
    });
    program.always("both count", move |end| end.plain(count) == 2);
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 1], [1, 0]]));
}

#[test]
fn readers_share_and_a_writer_does_not() {
    let mut layout = Layout::new();
    let lock = layout.rw_lock("mmap_lock");
    let data = layout.plain("data", 0);
    let inside = layout.atomic("inside", 0);
    let mut program = two(layout, move |lane| {
        lock.lock(lane, LockMode::Shared);
        let others = inside.rmw(lane, Rmw::Add(1), Full);
        let value = data.read(lane);
        inside.rmw(lane, Rmw::Add((-1i64) as u64), Full);
        lock.unlock(lane, LockMode::Shared);
        Returned::nothing()
            .int("others", i64::from(others))
            .int("r", i64::from(value))
    });
    program.cpu("writer", move |lane| {
        lock.lock(lane, LockMode::Exclusive);
        data.write(lane, 1);
        lock.unlock(lane, LockMode::Exclusive);
        Returned::nothing()
    });
    program.sometimes("two readers are inside", |end| {
        end.returned(CPU0).get("others") == Some(1)
    });
    let found = explore(&LoomEngine, program, &at_most(40_000));
    assert!(matches!(
        found.verdict,
        Verdict::Complete | Verdict::Truncated(Cut::PreemptionBound(_))
    ));
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
}

#[test]
fn spin_until_waits_for_the_value_and_orders() {
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let flag = layout.atomic("flag", 0);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.write(lane, 7);
        flag.store(lane, 1, Release);
        Returned::nothing()
    });
    program.cpu("waiter", move |lane| {
        flag.spin_until(lane, Until::Equals(1), Acquire);
        r(data.read(lane))
    });
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[7]]));
}

#[test]
fn a_value_that_never_comes_is_a_deadlock() {
    let mut layout = Layout::new();
    let flag = layout.atomic("flag", 0);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        flag.store(lane, 2, Release);
        Returned::nothing()
    });
    program.cpu("waiter", move |lane| {
        flag.spin_until(lane, Until::Equals(1), Acquire);
        Returned::nothing()
    });
    let found = explored(program);
    let Violation::Deadlock { waiting } = &broken(&found).violation else {
        panic!("{:?}", found.verdict);
    };
    assert!(matches!(waiting[..], [(CPU1, Op::SpinUntil { .. })]));
}

#[test]
fn a_spawned_cpu_sees_what_came_before_and_a_join_sees_what_it_did() {
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let mut program = Program::new(layout);
    let child = LaneId(1);
    program.cpu("parent", move |lane| {
        data.write(lane, 1);
        lane.spawn(child);
        lane.join(child);
        r(data.read(lane))
    });
    program.spawned_cpu("child", move |lane| {
        let found = data.read(lane);
        data.write(lane, found + 1);
        Returned::nothing()
    });
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[2]]));
}

#[test]
fn a_cpu_that_nobody_spawns_does_not_hold_up_the_end() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| r(x.load(lane, Loose)));
    program.spawned_cpu("idle", |_| unreachable!("nobody spawns it"));
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0]]));
}

#[test]
fn locks_in_two_orders_deadlock() {
    let mut layout = Layout::new();
    let a = layout.spin_lock("a");
    let b = layout.spin_lock("b");
    let mut program = Program::new(layout);
    for (name, first, second) in [("cpu0", a, b), ("cpu1", b, a)] {
        program.cpu(name, move |lane| {
            first.lock(lane);
            second.lock(lane);
            second.unlock(lane);
            first.unlock(lane);
            Returned::nothing()
        });
    }
    let found = explored(program);
    let failed = broken(&found);
    let Violation::Deadlock { waiting } = &failed.violation else {
        panic!("{:?}", failed.violation);
    };
    let wanted: Vec<_> = waiting
        .iter()
        .map(|(lane, op)| (*lane, op.lock()))
        .collect();
    assert_eq!(wanted, [(CPU0, Some(b.id())), (CPU1, Some(a.id()))]);
    assert_eq!(failed.trace.len(), 2, "each took its first lock");
}

// --- Violations --------------------------------------------------------------------------------

#[test]
fn a_fault_ends_the_execution_where_it_is() {
    let mut layout = Layout::new();
    let alive = layout.atomic("alive", true);
    let mut program = Program::new(layout);
    program.cpu("owner", move |lane| {
        alive.store(lane, false, Plainly);
        Returned::nothing()
    });
    program.cpu("user", move |lane| {
        if !alive.load(lane, Loose) {
            lane.fault(Fault::Bug {
                what: "looked at the dead",
                cell: Some(alive.id()),
            });
        }
        Returned::nothing()
    });
    let found = explored(program);
    let failed = broken(&found);
    assert!(matches!(
        failed.violation,
        Violation::Fault(Fault::Bug { .. })
    ));
    let last = failed.trace.last().expect("the load");
    assert_eq!(last.lane, CPU1);
    assert_eq!(failed.memory, [0]);
}

fn read_of(event: &Event) -> Option<(u64, Source)> {
    match event.what {
        What::Op {
            read: Some(value),
            from: Some(from),
            ..
        } => Some((value, from)),
        _ => None,
    }
}

#[test]
fn a_broken_property_comes_with_the_trace_that_shows_the_stale_read() {
    let mut program = message_passing(false);
    program.always("whoever sees the flag sees the data", |end| {
        let seen: Vec<_> = end.returned(CPU1).all("r").collect();
        seen != [1, 0]
    });
    let found = explored(program);
    let failed = broken(&found);
    assert!(matches!(
        failed.violation,
        Violation::Property { index: 0, .. }
    ));
    assert_eq!(failed.memory, [1, 1]);
    assert_eq!(failed.trace.len(), 4);
    let reads: Vec<_> = (failed.trace.iter())
        .filter(|event| event.lane == CPU1)
        .filter_map(read_of)
        .collect();
    let flag_store = failed.trace.iter().rposition(|event| event.lane == CPU0);
    let flag_store = flag_store.expect("the flag is stored");
    assert_eq!(reads, [(1, Source::Event(flag_store)), (0, Source::Init)]);
    assert!(failed.trace[0].site.file().ends_with("trials/src/lib.rs"));
}

#[test]
fn a_panic_of_a_cpu_is_its_message() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        x.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("cpu1", move |lane| {
        assert!(x.load(lane, Loose) == 0, "deadlock; or so it says");
        Returned::nothing()
    });
    let found = explored(program);
    let message = "deadlock; or so it says".to_owned();
    assert_eq!(broken(&found).violation, Violation::Panic { message });
}

#[test]
fn a_property_that_never_holds_makes_a_race_vacuous() {
    let mut program = store_buffering(true);
    program.sometimes("somebody reads 2", |end| {
        end.returned(CPU0).get("r") == Some(2)
    });
    let found = explored(program);
    let failed = broken(&found);
    assert!(matches!(
        failed.violation,
        Violation::Vacuous { index: 0, .. }
    ));
    assert!(failed.trace.is_empty());
}

#[test]
fn dropping_a_lock_that_is_not_held_is_the_scenarios_defect() {
    let mut layout = Layout::new();
    let ptl = layout.spin_lock("ptl");
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        ptl.unlock(lane);
        Returned::nothing()
    });
    let found = explored(program);
    let Violation::Panic { message } = &broken(&found).violation else {
        panic!("{:?}", found.verdict);
    };
    assert!(message.starts_with("ptl is dropped"), "{message}");
}
