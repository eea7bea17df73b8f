//! The loom engine: what it finds, where it stops, and that it keeps to itself.

mod common;

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use common::*;
use gupcheck_core::sync::{
    Atomic, Event, Fault, Lane, LaneId, Layout, LockMode, Op, Rmw, Source, Until, What,
};
use gupcheck_races::engine::{Engine, LoomEngine};
use gupcheck_races::program::{Program, Returned};
use gupcheck_races::progress::{Sighting, Stop, Watch};
use gupcheck_races::verdict::{Cut, Exploration, Verdict, Violation};

fn all(program: Program) -> Exploration {
    explore(&LoomEngine, program, &search())
}

fn assert_complete(exploration: &Exploration) {
    assert!(
        matches!(exploration.verdict, Verdict::Complete),
        "{:?} {:?}",
        exploration.verdict,
        exploration.remarks
    );
}

// --- Memory model ------------------------------------------------------------------------------

#[test]
fn store_buffering_is_seen_without_fences() {
    let found = all(store_buffering(false));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
}

#[test]
fn sc_fences_forbid_store_buffering() {
    let found = all(store_buffering(true));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 1], [1, 0], [1, 1]]));
}

#[test]
fn a_full_rmw_is_a_fence_on_both_sides() {
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    for (name, mine, other) in [("cpu0", x, y), ("cpu1", y, x)] {
        program.cpu(name, move |lane| {
            mine.rmw(lane, Rmw::Add(1), Full);
            r(other.load(lane, Loose))
        });
    }
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 1], [1, 0], [1, 1]]));
}

#[test]
fn message_passing_needs_release_and_acquire() {
    let loose = all(message_passing(false));
    assert_complete(&loose);
    assert_eq!(results(&loose), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
    let ordered = all(message_passing(true));
    assert_complete(&ordered);
    assert_eq!(results(&ordered), set([[0, 0], [0, 1], [1, 1]]));
}

/// loom without a bound ends this one after a single outcome.
#[test]
fn a_read_before_ones_own_write_does_not_hide_another_cpus_read() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| r(x.load(lane, Loose)));
    program.cpu("cpu1", move |lane| {
        let before = x.load(lane, Loose);
        x.store(lane, 1, Plainly);
        r(before)
    });
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 0], [1, 0]]));
}

#[test]
fn a_reader_that_saw_two_writes_decides_which_was_last() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        x.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("cpu1", move |lane| {
        x.store(lane, 2, Plainly);
        Returned::nothing()
    });
    let reader = program.cpu("cpu2", move |lane| {
        let first = x.load(lane, Loose);
        r(first).int("r", i64::from(x.load(lane, Loose)))
    });
    program.always(
        "the last value seen is never older than the first",
        move |end| {
            let seen: Vec<_> = end.returned(reader).all("r").collect();
            seen[0] == 0 || seen[0] == seen[1] || i64::from(end.value(x)) == seen[1]
        },
    );
    program.sometimes("both are seen, one after the other", move |end| {
        let seen: Vec<_> = end.returned(reader).all("r").collect();
        seen == [2, 1]
    });
    assert_complete(&all(program));
}

// --- Read-modify-writes ------------------------------------------------------------------------

fn two(
    layout: Layout,
    body: impl Fn(&Lane<'_>) -> Returned + Clone + Send + Sync + 'static,
) -> Program {
    let mut program = Program::new(layout);
    program.cpu("cpu0", body.clone());
    program.twin_cpu("cpu1", LaneId(0), body);
    program
}

#[test]
fn unconditional_rmws_are_atomic() {
    for rmw in [Rmw::Add(3), Rmw::Swap(3), Rmw::Or(3), Rmw::Xor(3)] {
        let (layout, x, _) = xy();
        let mut program = two(layout, move |lane| r(x.rmw(lane, rmw, Full)));
        let first = rmw.apply(0).expect("unconditional");
        let last = rmw.apply(first).expect("unconditional");
        program.always("ends as if one after the other", move |end| {
            end.word(x.id()) == last
        });
        let found = all(program);
        assert_complete(&found);
        let first = first as i64;
        assert_eq!(results(&found), set([[0, first], [first, 0]]), "{rmw:?}");
    }
}

#[test]
fn negative_counters_keep_their_sign() {
    let (layout, x, _) = xy();
    let mut program = two(layout, move |lane| {
        r(x.rmw(lane, Rmw::Add((-1i64) as u64), Full))
    });
    program.always("both are subtracted", move |end| end.value(x) == -2);
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, -1], [-1, 0]]));
}

#[test]
fn add_unless_refuses_or_adds_but_never_both() {
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
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 1], [1, 2]]));
}

#[test]
fn a_refused_rmw_is_a_relaxed_load() {
    // The exchange is refused whatever it reads, so it may read the older value although the
    // reader knows of nothing newer.
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        x.store(lane, 1, Plainly);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        let first = y.load(lane, Loose);
        let found = x.compare_exchange(lane, 7, 8, gupcheck_core::sync::RmwOrder::Relaxed);
        r(first).int("r", i64::from(found.expect_err("x is never 7")))
    });
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
}

#[test]
fn test_and_set_has_one_winner() {
    let (layout, x, _) = xy();
    let mut program = two(layout, move |lane| r(x.rmw(lane, Rmw::OrIfClear(4), Full)));
    program.always("one sets it", move |end| end.value(x) == 4);
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 4], [4, 0]]));
}

// --- Plain cells -------------------------------------------------------------------------------

#[test]
fn plain_cells_are_fine_behind_release_and_acquire() {
    let found = all(plain_message(true));
    assert_complete(&found);
    assert_eq!(results(&found), set([[-1], [1]]));
}

#[test]
fn a_data_race_names_both_accesses() {
    let program = Arc::new(plain_message(false));
    let found = LoomEngine.explore(&program, &search());
    let failed = broken(&found);
    let Violation::DataRace { cell } = failed.violation else {
        panic!("{:?}", failed.violation);
    };
    assert_eq!(program.layout().decl(cell).name.to_string(), "data");
    let last = failed.trace.last().expect("the culprit");
    assert_eq!(last.lane, CPU1);
    let What::Op {
        op: Op::Read { .. },
        read: None,
        from: Some(Source::Event(earlier)),
        ..
    } = last.what
    else {
        panic!("{last:?}");
    };
    assert_eq!(failed.trace[earlier].lane, CPU0);
    assert!(matches!(
        failed.trace[earlier].what,
        What::Op {
            op: Op::Write { .. },
            ..
        }
    ));
    assert_eq!(found.executions, failed.execution);
}

#[test]
fn a_write_that_races_with_a_read_is_found() {
    let mut layout = Layout::new();
    let page = layout.life("page0", true);
    let mut program = Program::new(layout);
    program.cpu("user", move |lane| {
        page.touch(lane);
        Returned::nothing()
    });
    program.cpu("owner", move |lane| {
        page.free(lane);
        Returned::nothing()
    });
    let found = all(program);
    let failed = broken(&found);
    assert_eq!(failed.violation, Violation::DataRace { cell: page.id() });
    let last = failed.trace.last().expect("the culprit");
    let What::Op {
        op: Op::Write { .. },
        from: Some(Source::Event(earlier)),
        ..
    } = last.what
    else {
        panic!("{last:?}");
    };
    assert_eq!(failed.trace[earlier].lane, CPU0);
}

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
    let found = all(program);
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
    let found = all(program);
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
    let found = all(program);
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
    let found = all(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[2]]));
}

#[test]
fn a_cpu_that_nobody_spawns_does_not_hold_up_the_end() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| r(x.load(lane, Loose)));
    program.spawned_cpu("idle", |_| unreachable!("nobody spawns it"));
    let found = all(program);
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
    let found = all(program);
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
    let found = all(program);
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
    let found = all(program);
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
    assert!(failed.trace[0].site.file().ends_with("common/mod.rs"));
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
    let found = all(program);
    let message = "deadlock; or so it says".to_owned();
    assert_eq!(broken(&found).violation, Violation::Panic { message });
}

#[test]
fn a_property_that_never_holds_makes_a_race_vacuous() {
    let mut program = store_buffering(true);
    program.sometimes("somebody reads 2", |end| {
        end.returned(CPU0).get("r") == Some(2)
    });
    let found = all(program);
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
    let found = all(program);
    let Violation::Panic { message } = &broken(&found).violation else {
        panic!("{:?}", found.verdict);
    };
    assert!(message.starts_with("ptl is dropped"), "{message}");
}

// --- Limits ------------------------------------------------------------------------------------

#[test]
fn execution_limits_are_exact() {
    let whole = all(store_buffering(false)).executions;
    assert!(whole > 8);
    for limit in [1, 2, 3, 7] {
        let found = explore(&LoomEngine, store_buffering(false), &at_most(limit));
        assert_eq!(found.executions, limit);
        assert!(
            matches!(found.verdict, Verdict::Truncated(Cut::Executions(n)) if n == limit),
            "{limit}: {:?} {:?}",
            found.verdict,
            found.remarks
        );
        assert_eq!(found.outcomes.values().sum::<u64>(), limit);
    }
}

#[test]
fn a_limit_that_is_just_enough_does_not_truncate() {
    let whole = all(store_buffering(false)).executions;
    let found = explore(&LoomEngine, store_buffering(false), &at_most(2 * whole));
    assert_complete(&found);
    assert_eq!(found.executions, whole);
}

#[test]
fn a_search_that_does_not_finish_says_which_bound_did() {
    let whole = explore(&LoomEngine, iriw(), &at_most(20_000));
    let Verdict::Truncated(Cut::PreemptionBound(bound)) = whole.verdict else {
        panic!("{:?} {:?}", whole.verdict, whole.remarks);
    };
    assert!(bound >= 2);
    assert!(whole.executions <= 20_000);
    assert_eq!(
        whole.remarks[0],
        "unbounded: 10000 executions, not finished"
    );
    assert!(whole.remarks[1].starts_with("preemption bound 2: "));
    assert!(whole.remarks[1].ends_with(", finished"));
}

/// Four CPUs of which two read what two write, with some more to do.
fn iriw() -> Program {
    let (layout, x, y) = xy();
    let mut program = Program::new(layout);
    for (name, cell) in [("cpu0", x), ("cpu1", y)] {
        program.cpu(name, move |lane| {
            cell.store(lane, 1, Plainly);
            cell.store(lane, 2, Plainly);
            Returned::nothing()
        });
    }
    for (name, first, second) in [("cpu2", x, y), ("cpu3", y, x)] {
        program.cpu(name, move |lane| {
            let one = first.load(lane, Loose);
            r(one).int("r", i64::from(second.load(lane, Loose)))
        });
    }
    program
}

#[test]
fn time_that_is_up_stops_the_search_before_it_begins() {
    let found = explore(&LoomEngine, store_buffering(false), &within(Duration::ZERO));
    assert!(matches!(
        found.verdict,
        Verdict::Truncated(Cut::Time(Duration::ZERO))
    ));
    assert_eq!(found.executions, 0);
}

#[test]
fn a_stop_interrupts() {
    let stop = Stop::default();
    stop.request();
    let asked = gupcheck_races::engine::Search { stop, ..search() };
    let found = explore(&LoomEngine, store_buffering(false), &asked);
    assert!(matches!(
        found.verdict,
        Verdict::Truncated(Cut::Interrupted)
    ));
}

#[test]
fn five_cpus_are_too_many() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    for _ in 0..5 {
        program.cpu("cpu", move |lane| r(x.load(lane, Loose)));
    }
    let found = all(program);
    let Verdict::Unsupported(why) = found.verdict else {
        panic!("{:?}", found.verdict);
    };
    assert_eq!(
        why,
        "loom runs at most 4 CPUs beside its main thread, and this program has 5"
    );
}

#[test]
fn a_program_that_nobody_starts_is_not_run() {
    let mut program = Program::new(Layout::new());
    program.spawned_cpu("idle", |_| Returned::nothing());
    let found = all(program);
    assert!(matches!(found.verdict, Verdict::Unsupported(_)));
}

#[test]
fn a_handwritten_loop_that_waits_is_not_waited_for() {
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        while x.load(lane, Loose) != 1 {}
        Returned::nothing()
    });
    let found = all(program);
    let Verdict::Unsupported(why) = found.verdict else {
        panic!("{:?}", found.verdict);
    };
    assert!(why.contains("decisions"), "{why}");
}

#[test]
fn a_stack_that_overflows_is_a_verdict_too() {
    #[inline(never)]
    fn deeper(depth: u64) -> u64 {
        let frame = std::hint::black_box([depth; 64]);
        if depth == 0 {
            return 0;
        }
        deeper(depth - 1) + std::hint::black_box(frame)[0]
    }
    let mut program = Program::new(Layout::new());
    program.cpu("cpu0", |_| r(i32::from(deeper(100_000) > 0)));
    let found = all(program);
    let Verdict::Unsupported(why) = found.verdict else {
        panic!("{:?}", found.verdict);
    };
    assert!(why.contains("stack"), "{why}");
}

#[test]
fn a_pool_that_runs_out_is_enlarged_without_counting_twice() {
    // Which of many cells are touched depends on what is read, so the first executions do not show
    // how many will be needed.
    let many = |flag_first: bool| {
        let mut layout = Layout::new();
        let flag = layout.atomic("flag", 0);
        let cells: Vec<Atomic<i32>> = (0..40)
            .map(|i| layout.atomic(gupcheck_core::sync::Name::new("cell{}", [i]), 5))
            .collect();
        let mut program = Program::new(layout);
        program.cpu("cpu0", move |lane| {
            if flag.load(lane, Loose) == 0 {
                return r(0);
            }
            r(cells.iter().map(|cell| cell.load(lane, Loose)).sum())
        });
        program.cpu("cpu1", move |lane| {
            if flag_first {
                flag.store(lane, 1, Plainly);
            }
            flag.store(lane, 0, Plainly);
            Returned::nothing()
        });
        program
    };
    let found = all(many(true));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0], [200]]));
    assert_eq!(found.outcomes.values().sum::<u64>(), found.executions);
    assert!(
        found.remarks[0].contains(", begun anew "),
        "{:?}",
        found.remarks
    );
    let without = all(many(false));
    assert!(
        !without.remarks[0].contains("begun anew"),
        "{:?}",
        without.remarks
    );
}

// --- Manners -----------------------------------------------------------------------------------

/// Run by [`violations_are_silent`] in a process of its own.
#[test]
#[ignore = "prints, on purpose"]
fn loud_and_silent() {
    let mut undone = message_passing(false);
    undone.always("never", |_| false);
    let mut panicking = Program::new(Layout::new());
    panicking.cpu("cpu0", |_| panic!("silent"));
    let mut waiting = Layout::new();
    let flag = waiting.atomic("flag", 0);
    let mut waiting = Program::new(waiting);
    waiting.cpu("cpu0", move |lane| {
        r(flag.spin_until(lane, Until::Equals(1), Acquire))
    });
    for program in [undone, panicking, waiting, plain_message(false)] {
        broken(&all(program));
    }
    let loud = std::thread::spawn(|| panic!("loud and clear"));
    assert!(loud.join().is_err());
}

#[test]
fn violations_are_silent() {
    let mut command = std::process::Command::new(std::env::current_exe().expect("this test"));
    command.args([
        "--exact",
        "loud_and_silent",
        "--include-ignored",
        "--nocapture",
    ]);
    let output = command
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("it runs");
    assert!(output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.matches("panicked at").count(), 1, "{stderr}");
    assert!(stderr.contains("loud and clear"), "{stderr}");
}

#[test]
fn two_searches_at_once_do_not_disturb_each_other() {
    let mut threads = Vec::new();
    for nth in 0..4 {
        threads.push(std::thread::spawn(move || {
            for _ in 0..5 {
                if nth % 2 == 0 {
                    let found = all(plain_message(false));
                    assert!(matches!(
                        broken(&found).violation,
                        Violation::DataRace { .. }
                    ));
                } else {
                    let found = all(store_buffering(true));
                    assert_complete(&found);
                    assert_eq!(results(&found), set([[0, 1], [1, 0], [1, 1]]));
                }
            }
        }));
    }
    for thread in threads {
        thread.join().expect("each sees its own");
    }
}

#[test]
fn the_same_search_is_the_same_search() {
    let (one, other) = (all(message_passing(false)), all(message_passing(false)));
    assert_eq!(one.executions, other.executions);
    assert_eq!(one.outcomes, other.outcomes);
}

#[test]
fn a_long_search_is_sighted() {
    struct Seen(Mutex<Vec<Sighting>>);
    impl Watch for Seen {
        fn sighting(&self, sighting: &Sighting) {
            self.0.lock().expect("one watcher").push(sighting.clone());
        }
    }
    let seen = Seen(Mutex::default());
    let asked = gupcheck_races::engine::Search {
        watch: &seen,
        ..at_most(20_000)
    };
    explore(&LoomEngine, iriw(), &asked);
    let seen = seen.0.into_inner().expect("nobody panicked");
    let stages: Vec<_> = seen.iter().filter_map(|s| s.stage.clone()).collect();
    assert!(stages.contains(&"unbounded".to_owned()), "{stages:?}");
    assert!(seen.is_sorted_by_key(|s| s.executions));
}
