//! The loom engine: where it stops, and that it keeps to itself.

mod common;

use std::sync::Mutex;
use std::time::Duration;

use common::explored;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{Cut, Program, Returned, Sighting, Stop, Verdict, Violation, Watch};
use gupcheck_sync::{Atomic, Layout, Until};
use gupcheck_trials::*;

// --- Limits ------------------------------------------------------------------------------------

#[test]
fn execution_limits_are_exact() {
    let whole = explored(store_buffering(false)).executions;
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
    let whole = explored(store_buffering(false)).executions;
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
    let asked = gupcheck_program::Search { stop, ..search() };
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
    let found = explored(program);
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
    let found = explored(program);
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
    let found = explored(program);
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
    let found = explored(program);
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
            .map(|i| layout.atomic(gupcheck_sync::Name::new("cell{}", [i]), 5))
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
    let found = explored(many(true));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0], [200]]));
    assert_eq!(found.outcomes.values().sum::<u64>(), found.executions);
    assert!(
        found.remarks[0].contains(", begun anew "),
        "{:?}",
        found.remarks
    );
    let without = explored(many(false));
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
        broken(&explored(program));
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
                    let found = explored(plain_message(false));
                    assert!(matches!(
                        broken(&found).violation,
                        Violation::DataRace { .. }
                    ));
                } else {
                    let found = explored(store_buffering(true));
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
    let (one, other) = (
        explored(message_passing(false)),
        explored(message_passing(false)),
    );
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
    let asked = gupcheck_program::Search {
        watch: &seen,
        ..at_most(20_000)
    };
    explore(&LoomEngine, iriw(), &asked);
    let seen = seen.0.into_inner().expect("nobody panicked");
    let stages: Vec<_> = seen.iter().filter_map(|s| s.stage.clone()).collect();
    assert!(stages.contains(&"unbounded".to_owned()), "{stages:?}");
    assert!(seen.is_sorted_by_key(|s| s.executions));
}
