//! The result block: what a person (or a script that knows herd's output) gets to see.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod support;

use expect_test::{Expect, expect};
use gupcheck_litmus::Litmus;
use gupcheck_program::{Exploration, Limits, Model};
use support::{explore, sc::BruteForce, under_sc};

const SB: &str = "C SB
{ }
P0(int *x, int *y) { int r0; WRITE_ONCE(*x, 1); r0 = READ_ONCE(*y); }
P1(int *x, int *y) { int r0; WRITE_ONCE(*y, 1); r0 = READ_ONCE(*x); }
";

/// What sequential consistency says of store buffering under this condition.
fn sb(condition: &str, expected: &Expect) {
    expected.assert_eq(&under_sc(&format!("{SB}{condition}")).to_string());
}

#[test]
fn exists() {
    sb(
        "exists (0:r0=0 /\\ 1:r0=0)",
        &expect![[r#"
        Test SB Allowed
        States 3
        0:r0=0; 1:r0=1;
        0:r0=1; 1:r0=0;
        0:r0=1; 1:r0=1;
        No
        Witnesses
        Positive: 0 Negative: 3
        Condition exists (0:r0=0 /\ 1:r0=0)
        Observation SB Never 0 3
    "#]],
    );
    sb(
        "exists (0:r0=1 /\\ (1:r0=1 \\/ x=0))",
        &expect![[r#"
        Test SB Allowed
        States 3
        0:r0=0; 1:r0=1; [x]=1;
        0:r0=1; 1:r0=0; [x]=1;
        0:r0=1; 1:r0=1; [x]=1;
        Ok
        Witnesses
        Positive: 1 Negative: 2
        Condition exists (0:r0=1 /\ (1:r0=1 \/ [x]=0))
        Observation SB Sometimes 1 2
    "#]],
    );
}

#[test]
fn not_exists_counts_witnesses_of_its_absence() {
    sb(
        "~exists (0:r0=1 /\\ 1:r0=1)",
        &expect![[r#"
        Test SB Forbidden
        States 3
        0:r0=0; 1:r0=1;
        0:r0=1; 1:r0=0;
        0:r0=1; 1:r0=1;
        No
        Witnesses
        Positive: 2 Negative: 1
        Condition ~exists (0:r0=1 /\ 1:r0=1)
        Observation SB Sometimes 1 2
    "#]],
    );
    sb(
        "~exists (0:r0=0 /\\ 1:r0=0)",
        &expect![[r#"
        Test SB Forbidden
        States 3
        0:r0=0; 1:r0=1;
        0:r0=1; 1:r0=0;
        0:r0=1; 1:r0=1;
        Ok
        Witnesses
        Positive: 3 Negative: 0
        Condition ~exists (0:r0=0 /\ 1:r0=0)
        Observation SB Never 0 3
    "#]],
    );
}

#[test]
fn forall() {
    sb(
        "forall (0:r0=0 => not 1:r0=0)",
        &expect![[r#"
        Test SB Required
        States 3
        0:r0=0; 1:r0=1;
        0:r0=1; 1:r0=0;
        0:r0=1; 1:r0=1;
        Ok
        Witnesses
        Positive: 3 Negative: 0
        Condition forall (0:r0=0 => not 1:r0=0)
        Observation SB Always 3 0
    "#]],
    );
    sb(
        "",
        &expect![[r#"
        Test SB Required
        States 1

        Ok
        Witnesses
        Positive: 3 Negative: 0
        Condition forall (true)
        Observation SB Always 3 0
    "#]],
    );
}

#[test]
fn locations_are_shown_and_filters_leave_executions_out() {
    sb(
        "locations [x; 1:r0;]\nexists (y=1)",
        &expect![[r#"
        Test SB Allowed
        States 2
        1:r0=0; [x]=1; [y]=1;
        1:r0=1; [x]=1; [y]=1;
        Ok
        Witnesses
        Positive: 3 Negative: 0
        Condition exists ([y]=1)
        Observation SB Always 3 0
    "#]],
    );
    sb(
        "filter (0:r0=1)\nexists (1:r0=0)",
        &expect![[r#"
            Test SB Allowed
            States 2
            1:r0=0;
            1:r0=1;
            Ok
            Witnesses
            Positive: 1 Negative: 1
            Condition exists (1:r0=0)
            Observation SB Sometimes 1 1
            Left out: 1 execution, by the filter
        "#]],
    );
}

#[test]
fn addresses_are_shown_by_name() {
    let source = "C Pointers
{ int a = 1; int b = 2; int *p = &a; }
P0(int **p, int *b) { rcu_assign_pointer(*p, b); }
P1(int **p) { int *r0; int r1; r0 = rcu_dereference(*p); r1 = READ_ONCE(*r0); }
exists (1:r0=b /\\ p=b)";
    expect![[r#"
        Test Pointers Allowed
        States 2
        1:r0=a; [p]=b;
        1:r0=b; [p]=b;
        Ok
        Witnesses
        Positive: 1 Negative: 1
        Condition exists (1:r0=b /\ [p]=b)
        Observation Pointers Sometimes 1 1
    "#]]
    .assert_eq(&under_sc(source).to_string());
}

#[test]
fn a_truncated_exploration_makes_no_observation() {
    let within = |condition: &str, executions| {
        let litmus = Litmus::parse(&format!("{SB}{condition}")).expect("understood");
        let limits = Limits {
            executions: Some(executions),
            time: None,
            memory: None,
        };
        explore(&litmus, &BruteForce, Model::Sc, limits)
    };
    let report = within("exists (0:r0=0 /\\ 1:r0=0)", 2);
    assert_eq!((report.observation, report.satisfied), (None, None));
    expect![[r#"
        Test SB Allowed
        States 2 so far
        0:r0=1; 1:r0=0;
        0:r0=1; 1:r0=1;
        Undecided
        Witnesses so far
        Positive: 0 Negative: 2
        Condition exists (0:r0=0 /\ 1:r0=0)
        No observation of SB: truncated after 2 executions
    "#]]
    .assert_eq(&report.to_string());
    let report = within("~exists (x=1)", 1);
    assert_eq!((report.observation, report.satisfied), (None, Some(false)));
    expect![[r#"
        Test SB Forbidden
        States 1 so far
        [x]=1;
        No
        Witnesses so far
        Positive: 0 Negative: 1
        Condition ~exists ([x]=1)
        No observation of SB: truncated after 1 executions
    "#]]
    .assert_eq(&report.to_string());
}

#[test]
fn a_violation_and_a_refusal_make_no_observation_either() {
    let source = "C Deadlock
{ }
P0(spinlock_t *s) { spin_lock(s); spin_lock(s); }
exists (true)";
    expect![[r#"
        Test Deadlock Allowed
        States 0 so far
        Undecided
        Witnesses so far
        Positive: 0 Negative: 0
        Condition exists (true)
        No observation of Deadlock: deadlock
    "#]]
    .assert_eq(&under_sc(source).to_string());
    let litmus = Litmus::parse(source).expect("understood");
    let refused = litmus.report(&Exploration::unsupported("too many CPUs"));
    assert_eq!(refused.observation, None);
    assert!(
        refused
            .to_string()
            .ends_with("unsupported: too many CPUs\n")
    );
}

#[test]
fn the_report_as_json() {
    let report = under_sc(&format!("{SB}exists (0:r0=0 /\\ x=1)"));
    let json = serde_json::to_string_pretty(&report).expect("a report is data");
    expect![[r#"
        {
          "name": "SB",
          "quantifier": "exists",
          "condition": "exists (0:r0=0 /\\ [x]=1)",
          "coverage": {
            "kind": "complete"
          },
          "states": [
            {
              "values": [
                [
                  "0:r0",
                  0
                ],
                [
                  "x",
                  1
                ]
              ],
              "executions": 1,
              "witness": true
            },
            {
              "values": [
                [
                  "0:r0",
                  1
                ],
                [
                  "x",
                  1
                ]
              ],
              "executions": 2,
              "witness": false
            }
          ],
          "positive": 1,
          "negative": 2,
          "filtered": 0,
          "stuck": [],
          "satisfied": true,
          "observation": "Sometimes"
        }"#]]
    .assert_eq(&json);
}
