//! Plain accesses race, marked ones do not: also where both are to the same location.

mod support;

use gupcheck_litmus::{Coverage, Litmus};
use gupcheck_program::{Limits, Model};
use support::{engines, explore};

/// A test's processes, and the race that is expected of it where every access orders (SC, TSO), and where
/// only acquire and release do (RC11).
type Row = (&'static str, Option<&'static str>, Option<&'static str>);

const RACE: Option<&str> = Some("data race on x");

const ROWS: &[Row] = &[
    ("P0(int *x) { *x = 1; } P1(int *x) { *x = 2; }", RACE, RACE),
    (
        "P0(int *x) { *x = 1; } P1(int *x) { int r; r = *x; }",
        RACE,
        RACE,
    ),
    (
        "P0(int *x) { int r; r = *x; } P1(int *x) { int r; r = *x; }",
        None,
        None,
    ),
    (
        "P0(int *x) { *x = 1; } P1(int *x) { READ_ONCE(*x); }",
        RACE,
        RACE,
    ),
    (
        "P0(int *x) { *x = 1; } P1(int *x) { WRITE_ONCE(*x, 2); }",
        RACE,
        RACE,
    ),
    (
        "P0(int *x) { int r; r = *x; } P1(int *x) { WRITE_ONCE(*x, 2); }",
        RACE,
        RACE,
    ),
    (
        "P0(int *x) { int r; r = *x; } P1(int *x) { READ_ONCE(*x); }",
        None,
        None,
    ),
    (
        "P0(int *x) { WRITE_ONCE(*x, 1); } P1(int *x) { WRITE_ONCE(*x, 2); }",
        None,
        None,
    ),
    (
        "P0(int *x, int *y) { *x = 1; smp_store_release(y, 1); }
         P1(int *x, int *y) { if (smp_load_acquire(y)) WRITE_ONCE(*x, 2); }",
        None,
        None,
    ),
    (
        "P0(int *x, int *y) { *x = 1; smp_store_release(y, 1); }
         P1(int *x, int *y) { if (READ_ONCE(*y)) WRITE_ONCE(*x, 2); }",
        None,
        RACE,
    ),
    (
        "P0(int *x, int *y) { *x = 1; WRITE_ONCE(*y, 1); }
         P1(int *x, int *y) { if (smp_load_acquire(y)) READ_ONCE(*x); }",
        None,
        RACE,
    ),
    (
        "P0(int *x) { smp_store_release(x, 1); }
         P1(int *x) { if (smp_load_acquire(x)) *x = 2; }",
        None,
        None,
    ),
    (
        "P0(int *x) { smp_store_release(x, 1); }
         P1(int *x) { if (READ_ONCE(*x)) *x = 2; }",
        None,
        RACE,
    ),
    (
        "P0(int *x) { int r; r = *x; smp_store_release(x, 1); }
         P1(int *x) { if (smp_load_acquire(x)) *x = 2; }",
        None,
        None,
    ),
    (
        "P0(int *x, spinlock_t *s) { spin_lock(s); *x = 1; spin_unlock(s); }
         P1(int *x, spinlock_t *s) { spin_lock(s); *x = 2; spin_unlock(s); }",
        None,
        None,
    ),
    (
        "P0(int *x, spinlock_t *s) { spin_lock(s); *x = 1; spin_unlock(s); }
         P1(int *x, spinlock_t *s) { if (spin_trylock(s)) { *x = 2; spin_unlock(s); } }",
        None,
        None,
    ),
    (
        "P0(int *x) { int r; r = xchg(x, 1); } P1(int *x) { int r; r = *x; }",
        RACE,
        RACE,
    ),
    (
        "P0(int *x) { int r; r = cmpxchg(x, 5, 1); } P1(int *x) { int r; r = *x; }",
        None,
        None,
    ),
    (
        "P0(int *x, int *y) { *x = 1; smp_store_release(y, 1); }
         P1(int *x, int *y) { int r; if (smp_load_acquire(y)) r = xchg_relaxed(x, 2); }",
        None,
        None,
    ),
    // What the update itself reads orders it after a plain read; what it writes, before a plain write.
    (
        "P0(int *x) { int r; r = *x; smp_store_release(x, 1); }
         P1(int *x) { int r; r = cmpxchg_acquire(x, 1, 2); }",
        None,
        None,
    ),
    (
        "P0(int *x) { int r; r = *x; smp_store_release(x, 1); }
         P1(int *x) { int r; r = cmpxchg(x, 1, 2); }",
        None,
        None,
    ),
    (
        "P0(int *x) { int r; r = *x; smp_store_release(x, 1); }
         P1(int *x) { int r; r = cmpxchg_relaxed(x, 1, 2); }",
        None,
        RACE,
    ),
    (
        "P0(int *x) { int r; r = cmpxchg_release(x, 0, 1); }
         P1(int *x) { if (smp_load_acquire(x)) *x = 2; }",
        None,
        None,
    ),
    (
        "P0(int *x) { int r; r = cmpxchg_relaxed(x, 0, 1); }
         P1(int *x) { if (smp_load_acquire(x)) *x = 2; }",
        None,
        RACE,
    ),
];

#[test]
fn races_are_found_and_no_others() {
    for (engine, models) in engines() {
        for model in models {
            for &(processes, ordered, rc11) in ROWS {
                let source = format!("C t\n{{ }}\n{processes}\nexists (true)");
                let litmus = Litmus::parse(&source).unwrap_or_else(|e| panic!("{e}\n{source}"));
                let expected = if model == Model::Rc11 { rc11 } else { ordered };
                let report = explore(&litmus, &*engine, model, Limits::default());
                let found = match report.coverage {
                    Coverage::Complete => None,
                    Coverage::Violation(what) => Some(what),
                    other => panic!("{other:?}\n{source}"),
                };
                let engine = engine.name();
                assert_eq!(
                    found.as_deref(),
                    expected,
                    "{engine} under {model}: {processes}"
                );
            }
        }
    }
}
