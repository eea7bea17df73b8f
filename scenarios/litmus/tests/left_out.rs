//! What is no execution, and what is a deadlock: locks that are never dropped, circles, filters.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod support;

use expect_test::{Expect, expect};
use gupcheck_litmus::{Coverage, Litmus, Observation, Report};
use gupcheck_program::{Engine, Limits, Model};
use std::fmt::Write;
use support::{engines, explore, graph, under_sc};

/// A test of these processes, with `int *x`, `int *y` and the locks `s` and `t` at hand.
fn test(processes: &[&str], rest: &str) -> String {
    let parameters = "int *x, int *y, spinlock_t *s, spinlock_t *t";
    let mut source = "C t\n{ }\n".to_owned();
    for (index, process) in processes.iter().enumerate() {
        writeln!(
            source,
            "P{index}({parameters}) {{ int r; int q; {process} }}"
        )
        .expect("a string");
    }
    source + rest
}

/// Every engine's report, under every model that it knows.
fn reports(source: &str) -> Vec<Report> {
    let litmus = Litmus::parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let mut reports = Vec::new();
    for (engine, models) in engines() {
        for model in models {
            reports.push(explore(&litmus, &*engine, model, Limits::default()));
        }
    }
    reports
}

/// Asserts that all say that it is a deadlock.
fn is_deadlock(processes: &[&str]) {
    for report in reports(&test(processes, "exists (x=1)")) {
        let Coverage::Violation(what) = &report.coverage else {
            panic!("{processes:?}: {report}");
        };
        assert!(what.starts_with("deadlock"), "{processes:?}: {what}");
        assert_eq!(report.observation, None);
    }
}

const TAKE: &str = "spin_lock(s); r = READ_ONCE(*x); spin_unlock(s);";
const KEEP: &str = "spin_lock(s); WRITE_ONCE(*x, 1);";
/// Makes a lock one that is tried, whatever else is done with it.
const LOOK: &str = "q = spin_is_locked(s);";

#[test]
fn who_waits_for_one_that_has_ended_is_left_out_and_counted() {
    for look in ["", LOOK] {
        let taker = format!("{look} {TAKE}");
        for report in reports(&test(&[KEEP, &taker], "exists (1:r=1)")) {
            assert_eq!(report.observation, Some(Observation::Never), "{report}");
            let stuck: Vec<&str> = report.stuck.iter().map(|s| s.waits.as_str()).collect();
            assert_eq!(stuck, ["P1 waits for s"]);
        }
    }
    let tries = "r = spin_trylock(s);";
    for report in reports(&test(&[TAKE, tries], "exists (1:r=1)")) {
        assert_eq!(report.observation, Some(Observation::Sometimes), "{report}");
        assert_eq!(report.stuck.len(), 1, "{report}");
    }
}

#[test]
fn who_waits_behind_one_that_is_stuck_is_left_out_as_well() {
    let behind = "spin_lock(t); spin_lock(s); spin_unlock(s); spin_unlock(t);";
    let last = "spin_lock(t); r = 1; spin_unlock(t);";
    for tries in ["", "q = spin_is_locked(s);", "q = spin_is_locked(t);"] {
        let last = format!("{tries} {last}");
        for report in reports(&test(&[KEEP, behind, &last], "exists (2:r=1)")) {
            assert_eq!(report.observation, Some(Observation::Always), "{report}");
            let stuck: Vec<&str> = report.stuck.iter().map(|s| s.waits.as_str()).collect();
            assert_eq!(stuck, ["P1 waits for s", "P1 waits for s, P2 waits for t"]);
        }
    }
}

#[test]
fn a_circle_is_a_deadlock() {
    let both =
        |a, b| format!("spin_lock({a}); spin_lock({b}); spin_unlock({b}); spin_unlock({a});");
    let (one, two) = (both("s", "t"), both("t", "s"));
    for look in ["", LOOK, "q = spin_is_locked(t);"] {
        is_deadlock(&[&format!("{look} {one}"), &two]);
        is_deadlock(&[&one, &format!("{look} {two}")]);
        is_deadlock(&[&format!(
            "{look} spin_lock(s); spin_lock(s); WRITE_ONCE(*x, 1);"
        )]);
    }
    is_deadlock(&["r = spin_trylock(s); spin_lock(s); WRITE_ONCE(*x, 1);"]);
    // Behind the circle there may be others.
    is_deadlock(&[
        &one,
        &two,
        "q = spin_is_locked(s); spin_lock(s); spin_unlock(s);",
    ]);
}

#[test]
fn a_section_and_a_lock_may_be_a_circle_too() {
    let section = "rcu_read_lock(); spin_lock(s); spin_unlock(s); rcu_read_unlock();";
    for look in ["", LOOK] {
        let waits = format!("{look} spin_lock(s); synchronize_rcu(); spin_unlock(s);");
        is_deadlock(&[section, &waits]);
        let fine = format!("{look} spin_lock(s); spin_unlock(s); synchronize_rcu();");
        for report in reports(&test(&[section, &fine], "exists (true)")) {
            assert_eq!(report.observation, Some(Observation::Always));
            assert_eq!(report.stuck, []);
        }
    }
}

#[test]
fn a_test_of_which_every_execution_is_stuck_is_a_deadlock() {
    let keeps = "spin_lock(s); WRITE_ONCE(*x, 1);";
    for look in ["", LOOK] {
        is_deadlock(&[&format!("{look} {keeps}"), keeps]);
    }
}

#[test]
fn a_filter_leaves_out_what_is_wrong_in_what_it_leaves_out() {
    let reads = "r = smp_load_acquire(y);";
    let publish = "*x = 2; smp_store_release(y, 1);";
    for wrong in ["*x = 1;", "q = *x;", "q = 1 / r;", "q = *r;"] {
        let process = format!("{reads} {wrong}");
        let rest = "exists (x=2)";
        for report in reports(&test(&[&process, publish], rest)) {
            assert!(
                matches!(report.coverage, Coverage::Violation(_)),
                "{wrong}: {report}"
            );
        }
        let rest = if wrong == "q = *r;" {
            "filter (0:r=0)"
        } else {
            "filter (0:r=1)"
        };
        let keeps_fault = wrong == "q = *r;";
        for report in reports(&test(
            &[&process, publish],
            &format!("{rest}\nexists (x=2)"),
        )) {
            let is_wrong = matches!(report.coverage, Coverage::Violation(_));
            assert_eq!(is_wrong, keeps_fault, "{wrong}: {report}");
        }
    }
}

#[test]
fn a_race_that_the_filter_keeps_is_one_whatever_the_value_read() {
    // Only the execution in which the racing read gets the old value is kept.
    let source = test(&["*x = 1;", "r = *x;"], "filter (1:r=0)\nexists (x=1)");
    for report in reports(&source) {
        assert_eq!(
            report.coverage,
            Coverage::Violation("data race on x".to_owned())
        );
    }
}

#[test]
fn a_filter_that_leaves_nothing_is_no_answer() {
    for report in reports(&test(&["WRITE_ONCE(*x, 1);"], "filter (x=2)\nforall (x=3)")) {
        assert_eq!(report.satisfied, None);
        let what = Coverage::Violation("the filter leaves out every execution".to_owned());
        assert_eq!(report.coverage, what);
    }
    for report in reports(&test(&[KEEP, TAKE], "filter (x=2)\nforall (x=3)")) {
        assert!(matches!(report.coverage, Coverage::Violation(_)));
    }
}

/// What the graph engine says of a test under SC.
fn said(source: &str, expected: &Expect) {
    let litmus = Litmus::parse(source).expect("understood");
    expected.assert_eq(&explore(&litmus, &graph(), Model::Sc, Limits::default()).to_string());
}

#[test]
fn what_is_left_out_is_told() {
    said(
        &test(
            &[KEEP, &format!("{LOOK} {TAKE}")],
            "filter (1:q=0)\nexists (1:r=1)",
        ),
        &expect![[r#"
            Test t Allowed
            States 1
            1:r=0;
            No
            Witnesses
            Positive: 0 Negative: 1
            Condition exists (1:r=1)
            Observation t Never 0 1
            Left out: 2 executions, in which P1 waits for s in vain
        "#]],
    );
    said(
        &test(
            &["spin_lock(s); r = spin_trylock(s); spin_lock(s);"],
            "exists (x=1)",
        ),
        &expect![[r#"
            Test t Allowed
            States 0 so far
            Undecided
            Witnesses so far
            Positive: 0 Negative: 0
            Condition exists ([x]=1)
            No observation of t: deadlock
        "#]],
    );
    said(
        &test(&[KEEP, KEEP], "exists (x=1)"),
        &expect![[r#"
            Test t Allowed
            States 0 so far
            Undecided
            Witnesses so far
            Positive: 0 Negative: 0
            Condition exists ([x]=1)
            No observation of t: deadlock in every execution: P0 waits for s
            Left out: 1 execution, in which P0 waits for s in vain
            Left out: 1 execution, in which P1 waits for s in vain
        "#]],
    );
}

#[test]
fn an_execution_with_a_lock_taken_at_the_second_attempt_is_counted_once() {
    let source = test(&[&format!("{LOOK} {TAKE}"), TAKE], "exists (true)");
    let litmus = Litmus::parse(&source).expect("understood");
    let engine: &dyn Engine = &graph();
    let report = explore(&litmus, engine, Model::Sc, Limits::default());
    // Whether the other holds the lock when it is looked at, and who comes first.
    assert_eq!((report.positive, report.stuck.len()), (4, 0), "{report}");
    assert_eq!(under_sc(&source).observation, report.observation);
}
