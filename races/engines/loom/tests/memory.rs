//! The loom engine and memory: which values it reads, and which accesses race.

mod common;

use std::sync::Arc;

use common::explored;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{Engine, Program, Returned, Violation};
use gupcheck_sync::{LaneId, Layout, Op, Rmw, Source, What};
use gupcheck_trials::*;

// --- Memory model ------------------------------------------------------------------------------

#[test]
fn store_buffering_is_seen_without_fences() {
    let found = explored(store_buffering(false));
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
}

#[test]
fn sc_fences_forbid_store_buffering() {
    let found = explored(store_buffering(true));
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
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 1], [1, 0], [1, 1]]));
}

#[test]
fn message_passing_needs_release_and_acquire() {
    let loose = explored(message_passing(false));
    assert_complete(&loose);
    assert_eq!(results(&loose), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
    let ordered = explored(message_passing(true));
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
    let found = explored(program);
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
    assert_complete(&explored(program));
}

// --- Read-modify-writes ------------------------------------------------------------------------

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
        let found = explored(program);
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
    let found = explored(program);
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
    let found = explored(program);
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
        let found = x.compare_exchange(lane, 7, 8, gupcheck_sync::RmwOrder::Relaxed);
        r(first).int("r", i64::from(found.expect_err("x is never 7")))
    });
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 0], [0, 1], [1, 0], [1, 1]]));
}

#[test]
fn test_and_set_has_one_winner() {
    let (layout, x, _) = xy();
    let mut program = two(layout, move |lane| r(x.rmw(lane, Rmw::OrIfClear(4), Full)));
    program.always("one sets it", move |end| end.value(x) == 4);
    let found = explored(program);
    assert_complete(&found);
    assert_eq!(results(&found), set([[0, 4], [4, 0]]));
}

// --- Plain cells -------------------------------------------------------------------------------

#[test]
fn plain_cells_are_fine_behind_release_and_acquire() {
    let found = explored(plain_message(true));
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
    let found = explored(program);
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
