//! Programs that are not deterministic are found before anything is explored.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{Program, Returned, Violation, determinism};
use gupcheck_sync::{Layout, LockMode, Until};
use gupcheck_trials::*;

/// What is wrong with a program of two such CPUs.
fn difference(
    body: impl Fn(&gupcheck_sync::Lane<'_>, &[gupcheck_sync::Atomic<i32>]) -> Returned
    + Clone
    + Send
    + Sync
    + 'static,
) -> Option<String> {
    let mut layout = Layout::new();
    let cells: Vec<_> = (["a", "b", "c", "d", "e", "f", "g", "h"].into_iter())
        .map(|name| layout.atomic(name, 0))
        .collect();
    let program = two(layout, move |lane| body(lane, &cells));
    let difference = determinism::check(&program).err()?;
    Some(gupcheck_trace::difference(&program, &difference))
}

#[test]
fn the_order_of_a_hash_map_is_found() {
    let difference = difference(|lane, cells| {
        let map: HashMap<usize, _> = cells.iter().copied().enumerate().collect();
        for cell in map.values() {
            cell.load(lane, Loose);
        }
        Returned::nothing()
    })
    .expect("eight cells in some order");
    assert!(difference.starts_with("cpu0, operation "), "{difference}");
    assert!(difference.contains(": was READ_ONCE "), "{difference}");
    assert!(difference.contains("determinism.rs:"), "{difference}");
    assert!(difference.contains(", then READ_ONCE "), "{difference}");
}

#[test]
fn a_clock_is_found() {
    let began = Instant::now();
    let difference = difference(move |lane, cells| {
        let now = began.elapsed().subsec_nanos() as i32;
        cells[1].load(lane, Loose);
        cells[0].store(lane, now, Plainly);
        Returned::nothing()
    })
    .expect("time passes");
    assert!(
        difference.contains("cpu0, operation 2: was WRITE_ONCE a := "),
        "{difference}"
    );
}

#[test]
fn an_address_is_found() {
    for on_heap in [false, true] {
        let difference = difference(move |_, _| {
            let here = 0u8;
            let there = Box::new(0u8);
            let address = if on_heap {
                &raw const *there
            } else {
                &raw const here
            };
            Returned::nothing().int("address", address.addr() as i64 & 0xffff_ffff)
        });
        let difference = difference.expect("each run has a stack and a heap of its own");
        assert!(
            difference.contains("its end, returning address="),
            "{difference}"
        );
    }
}

#[test]
fn what_is_kept_between_executions_is_found() {
    let runs = Arc::new(AtomicU32::new(0));
    let difference = difference(move |lane, cells| {
        if runs.fetch_add(1, Ordering::Relaxed) > 1 {
            cells[3].load(lane, Loose);
        }
        Returned::nothing()
    })
    .expect("it knows its past");
    assert!(
        difference.contains("operation 1: was its end, returning -, then READ_ONCE d"),
        "{difference}"
    );
}

#[test]
fn a_cpu_that_stops_early_is_found() {
    let runs = Arc::new(AtomicU32::new(0));
    let difference = difference(move |lane, cells| {
        if runs.fetch_add(1, Ordering::Relaxed) < 2 {
            cells[3].load(lane, Loose);
        }
        Returned::nothing()
    })
    .expect("it knows its past");
    assert!(
        difference.contains("operation 1: was READ_ONCE d at "),
        "{difference}"
    );
    assert!(
        difference.contains(", then its end, returning -"),
        "{difference}"
    );
}

/// Everything a CPU can ask for, with waiting on each other.
#[test]
fn deterministic_programs_pass() {
    let mut layout = Layout::new();
    let x = layout.atomic("x", 0);
    let data = layout.plain("data", 0);
    let lock = layout.rw_lock("lock");
    let mut program = Program::new(layout);
    let child = gupcheck_sync::LaneId(2);
    program.cpu("waits", move |lane| {
        lane.spawn(child);
        lock.lock(lane, LockMode::Exclusive);
        let seen = x.spin_until(lane, Until::Equals(2), Acquire);
        lock.unlock(lane, LockMode::Exclusive);
        lane.join(child);
        r(seen + data.read(lane))
    });
    program.cpu("waits too", move |lane| {
        x.swap(lane, 1, Full);
        lane.remark("and says so");
        x.spin_until(lane, Until::Equals(2), Acquire);
        lock.lock(lane, LockMode::Shared);
        lock.unlock(lane, LockMode::Shared);
        panic!("this too, always");
    });
    program.spawned_cpu("child", move |lane| {
        x.spin_until(lane, Until::Equals(1), Acquire);
        data.write(lane, 1);
        x.store(lane, 2, Release);
        Returned::nothing()
    });
    program.spawned_cpu("never", |_| unreachable!());
    assert_eq!(determinism::check(&program), Ok(()));
}

#[test]
fn no_engine_explores_what_is_not_deterministic() {
    let runs = AtomicU32::new(0);
    let (layout, x, _) = xy();
    let mut program = Program::new(layout);
    program.cpu("cpu0", move |lane| {
        x.store(lane, runs.fetch_add(1, Ordering::Relaxed) as i32, Plainly);
        Returned::nothing()
    });
    let program = Arc::new(program);
    let found = gupcheck_program::explore(&GraphEngine::ONE_THREAD, &program, &search());
    let Violation::Nondeterminism(difference) = &broken(&found).violation else {
        panic!("{:?}", found.verdict);
    };
    let message = gupcheck_trace::difference(&program, difference);
    assert!(
        message.starts_with("cpu0, operation 1: was WRITE_ONCE x := 0 at "),
        "{message}"
    );
    assert!(
        message.contains(", then WRITE_ONCE x := 1 at "),
        "{message}"
    );
    assert_eq!(found.executions, 0);
}
