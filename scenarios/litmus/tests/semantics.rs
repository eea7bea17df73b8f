//! What can come of a test: values, faults, and the primitives that need more than one operation.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod support;

use expect_test::{Expect, expect};
use gupcheck_litmus::Coverage;
use support::under_sc;

/// What a body computes: the last value of `r`.
fn computes(body: &str) -> i64 {
    let source = format!(
        "C t\n{{ x=5; }} P0(int *x, int *y) {{ int r; int q; {body} }} locations [0:r;] exists (true)"
    );
    let report = under_sc(&source);
    assert_eq!(report.coverage, Coverage::Complete, "{body}");
    let values = serde_json::to_value(&report.states[0].values).expect("data");
    values[0][1].as_i64().expect("a number")
}

#[test]
fn expressions_compute_as_the_kernel_compiles_them() {
    for (body, value) in [
        ("r = 7 / 2 * 2 + 7 % 2;", 7),
        ("r = -7 / 2;", -3),
        ("r = -7 % 2;", -1),
        ("r = 2147483647 + 1;", -2_147_483_648),
        ("r = 1 << 31;", -2_147_483_648),
        ("r = -8 >> 1;", -4),
        ("r = ~0 ^ 5;", -6),
        ("r = 6 & 3 | 8;", 10),
        ("r = !0 + !7;", 1),
        ("r = 3 > 2 == 1;", 1),
        ("r = 0 && 1 / 0;", 0),
        ("r = 1 || 1 / 0;", 1),
        ("r = 0 ? 1 : 2 ? 3 : 4;", 3),
        ("r = x == y;", 0),
        ("r = x && x != y;", 1),
        ("r = READ_ONCE(*x) + 1;", 6),
        ("q = 3; { int s = q; r = s * s; }", 9),
        ("if (*x == 5) r = 1; else r = 2;", 1),
        (
            "if (*x != 5) { r = 1; } else if (*x) { r = 2; } else { r = 3; }",
            2,
        ),
        (";;", 0),
        ("r = -2147483648;", -2_147_483_648),
        (
            "WRITE_ONCE(*y, 2147483647); r = atomic_inc_return(y);",
            -2_147_483_648,
        ),
        (
            "WRITE_ONCE(*y, -2147483648); r = atomic_fetch_sub(1, y); r = READ_ONCE(*y);",
            2_147_483_647,
        ),
        ("WRITE_ONCE(*y, -1); r = atomic_add_unless(y, 1, -1);", 0),
        (
            "WRITE_ONCE(*y, -6); atomic_and(-4, y); atomic_or(1, y); r = READ_ONCE(*y);",
            -7,
        ),
        ("q = 0; r = READ_ONCE(*(x + q));", 5),
        ("q = 8; r = READ_ONCE(*((q & 1) + x));", 5),
        ("intptr_t a = (intptr_t)x; r = READ_ONCE(*(int *)a);", 5),
        ("r = (int)3 + (q);", 3),
    ] {
        assert_eq!(computes(body), value, "{body}");
    }
}

#[test]
fn what_has_no_value_is_a_fault() {
    for (body, what) in [
        ("r = 1 / (*x - 5);", "bug: a division by zero"),
        (
            "r = 1 << 32;",
            "bug: a shift by less than 0 or more than 31 bits",
        ),
        (
            "p = 0; r = *p;",
            "bug: what is dereferenced is not an address",
        ),
        (
            "r = READ_ONCE(*z); r = r + 1;",
            "bug: arithmetic on an address",
        ),
        (
            "WRITE_ONCE(*z, x); r = atomic_inc_return(z);",
            "bug: arithmetic on an address (z)",
        ),
        ("r = 4; p = x + r;", "bug: arithmetic on an address"),
        ("spin_unlock(s);", "bug: a lock is dropped that is not held"),
        (
            "rcu_read_lock();",
            "bug: a read-side section of RCU is never left",
        ),
        (
            "rcu_read_unlock();",
            "bug: a read-side section of RCU is left that was never entered",
        ),
        (
            "rcu_read_lock(); synchronize_rcu();",
            "bug: synchronize_rcu waits for its own read-side section",
        ),
    ] {
        let report = under_sc(&format!(
            "C t\n{{ x=5; z=x; }} P0(int *x, int *z, spinlock_t *s) \
             {{ int r; int *p; {body} }} exists (true)"
        ));
        assert_eq!(
            report.coverage,
            Coverage::Violation(what.to_owned()),
            "{body}"
        );
    }
}

/// The distinct states, each on a line.
fn states(source: &str, expected: &Expect) {
    let report = under_sc(source);
    assert_eq!(report.coverage, Coverage::Complete);
    let lines: Vec<String> = report.states.iter().map(ToString::to_string).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_lock_that_is_tried_excludes_as_well_as_one_that_is_not() {
    for (extra, take) in [
        ("", "1"),
        ("int t; t = spin_is_locked(s);", "1"),
        ("", "spin_trylock(s)"),
    ] {
        let source = format!(
            "C t
{{ }}
P0(spinlock_t *s, int *x) {{
    int r0 = 9; {extra}
    if ({take}) {{ {} r0 = READ_ONCE(*x); WRITE_ONCE(*x, r0 + 1); spin_unlock(s); }}
}}
P1(spinlock_t *s, int *x) {{
    int r0; spin_lock(s); r0 = READ_ONCE(*x); WRITE_ONCE(*x, r0 + 1); spin_unlock(s);
}}
locations [0:r0; 1:r0; x;] exists (true)",
            if take == "1" { "spin_lock(s);" } else { "" },
        );
        let expected = if take == "1" {
            expect![[r#"
                0:r0=0; 1:r0=1; [x]=2;
                0:r0=1; 1:r0=0; [x]=2;"#]]
        } else {
            expect![[r#"
                0:r0=0; 1:r0=1; [x]=2;
                0:r0=1; 1:r0=0; [x]=2;
                0:r0=9; 1:r0=0; [x]=1;"#]]
        };
        states(&source, &expected);
    }
}

#[test]
fn registers_and_parameters_can_be_given_by_the_initial_state() {
    states(
        "C t
{ 0:r0=7; 0:p=b; b=3; }
P0(int *p) { int r0; int r1; r1 = READ_ONCE(*p); }
locations [0:r0; 0:r1; b;] exists (true)",
        &expect!["0:r0=7; 0:r1=3; [b]=3;"],
    );
}

#[test]
fn tests_as_deep_as_is_allowed_run() {
    for (body, value) in [
        (format!("r = {}7{};", "(".repeat(20), ")".repeat(20)), 7),
        (format!("r = {}7;", "~".repeat(20)), 7),
        (format!("{} r = 1;", "if (1) ".repeat(32)), 1),
        (format!("{} r = 1;", "if (0) ; else ".repeat(32)), 1),
        (format!("r = {} 9;", "0 ? 1 :".repeat(32)), 9),
        (format!("r = {} 1;", "1 + ".repeat(120)), 121),
        (format!("{}r = 1;{}", "{".repeat(20), "}".repeat(20)), 1),
    ] {
        assert_eq!(computes(&body), value, "{}", &body[..20]);
    }
}
