//! The kernel's own model: what each of its rules decides, by a test that says something else without the rule.

use gupcheck_litmus::{Coverage, Litmus, Observation, Report};

fn judged(source: &str) -> Report {
    let litmus = Litmus::parse(source).unwrap_or_else(|error| panic!("{error}:\n{source}"));
    litmus.lkmm(usize::MAX, &mut |_| false).0
}

/// A test of these processes, which share `x`, `y`, `z`, the lock `l`, and `s` and `t` of SRCU.
fn test(processes: &[&str], exists: &str) -> String {
    let parameters = "int *x, int *y, int *z, atomic_t *a, spinlock_t *l, struct srcu_struct *s, struct srcu_struct *t";
    let processes = processes.iter().enumerate();
    let processes = processes.map(|(index, body)| format!("P{index}({parameters}) {{ {body} }}\n"));
    let processes: Vec<String> = processes.collect();
    format!("C t\n{{ }}\n{}exists ({exists})\n", processes.concat())
}

fn is_allowed(processes: &[&str], exists: &str) -> bool {
    let report = judged(&test(processes, exists));
    match report.observation {
        Some(Observation::Never) => false,
        Some(Observation::Sometimes | Observation::Always) => true,
        None => panic!("{processes:?}: {:?}", report.coverage),
    }
}

/// Message passing: `x`, then `y`, and somebody who saw `y` but not `x`.
fn message(writer: &str, reader: &str) -> bool {
    is_allowed(&[writer, reader], "1:r=1 /\\ 1:q=0")
}

const WMB: &str = "WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 1);";
const RMB: &str = "r = READ_ONCE(*y); smp_rmb(); q = READ_ONCE(*x);";

#[test]
fn fences_order_what_they_are_for() {
    assert!(!message(WMB, RMB));
    assert!(message(&WMB.replace("smp_wmb", "barrier"), RMB));
    assert!(message(WMB, &RMB.replace("smp_rmb", "smp_wmb")));
    assert!(message(&WMB.replace("smp_wmb", "smp_rmb"), RMB));
    assert!(!message("WRITE_ONCE(*x, 1); smp_store_release(y, 1);", RMB));
    assert!(!message(WMB, "r = smp_load_acquire(y); q = READ_ONCE(*x);"));
}

/// Both read what the other one writes behind it.
fn buffering(first: &str, second: &str) -> bool {
    is_allowed(&[first, second], "0:r=1 /\\ 1:r=1")
}

#[test]
fn loads_are_buffered_where_nothing_depends_on_them() {
    let bare = "r = READ_ONCE(*x); WRITE_ONCE(*y, 1);";
    let other = "r = READ_ONCE(*y); WRITE_ONCE(*x, r);";
    assert!(buffering(bare, other));
    let data = "r = READ_ONCE(*x); WRITE_ONCE(*y, r ^ r ^ 1);";
    assert!(!buffering(data, other));
    let control = "r = READ_ONCE(*x); if (r) WRITE_ONCE(*y, 1);";
    assert!(!buffering(control, other));
    let address = "int *p; r = READ_ONCE(*x); p = y + (r & 0); WRITE_ONCE(*p, 1);";
    assert!(!buffering(address, other));
}

#[test]
fn a_branch_decides_what_is_in_it_and_not_what_comes_behind() {
    let other = "r = READ_ONCE(*y); WRITE_ONCE(*x, r);";
    let behind = "r = READ_ONCE(*x); if (r) { q = 1; } WRITE_ONCE(*y, 1);";
    assert!(buffering(behind, other));
    let by_way_of_a_variable = "r = READ_ONCE(*x); if (r) { q = 1; } if (q) { WRITE_ONCE(*y, 1); }";
    assert!(!buffering(by_way_of_a_variable, other));
    let a_read = "r = READ_ONCE(*y); if (r) { q = READ_ONCE(*x); }";
    assert!(message(WMB, a_read));
}

#[test]
fn a_value_may_justify_itself_where_nothing_depends_on_it() {
    let other = "r = READ_ONCE(*y); WRITE_ONCE(*x, r);";
    let hidden = "int q; r = READ_ONCE(*x); q = 1; if (r == 0) q = 0; WRITE_ONCE(*y, q);";
    assert!(buffering(hidden, other));
    let plain = ["r = *x; if (r) *y = 1;", "r = *y; if (r) *x = 1;"];
    assert!(is_allowed(&plain, "0:r=1 /\\ 1:r=1"));
    let marked = [
        "r = READ_ONCE(*x); if (r) WRITE_ONCE(*y, 1);",
        "r = READ_ONCE(*y); if (r) WRITE_ONCE(*x, 1);",
    ];
    assert!(!is_allowed(&marked, "0:r=1 /\\ 1:r=1"));
}

#[test]
fn dependencies_go_on_through_plain_accesses() {
    let other = "r = READ_ONCE(*y); WRITE_ONCE(*x, r);";
    let carried = "int q; r = READ_ONCE(*x); *z = r; q = *z; WRITE_ONCE(*y, q);";
    assert!(!buffering(carried, other));
}

#[test]
fn an_address_leads_to_what_it_is_of_however_the_pointer_was_read() {
    let source = |read: &str, order: &str| {
        format!(
            "C t\n{{ y=0; int *p = &z; }}\nP0(int *y, int **p) {{ WRITE_ONCE(*y, 1); {order} WRITE_ONCE(*p, y); }}\n\
             P1(int **p) {{ int *r; int q; r = {read}(*p); q = READ_ONCE(*r); }}\nexists (1:r=y /\\ 1:q=0)\n"
        )
    };
    for read in ["READ_ONCE", "rcu_dereference"] {
        let never = judged(&source(read, "smp_wmb();"));
        assert_eq!(never.observation, Some(Observation::Never));
        let sometimes = judged(&source(read, ""));
        assert_eq!(sometimes.observation, Some(Observation::Sometimes));
    }
}

#[test]
fn atomics_are_full_barriers_unless_they_refuse_or_say_otherwise() {
    let store_buffering = |between: &str| {
        let first = format!("WRITE_ONCE(*x, 1); {between} r = READ_ONCE(*y);");
        let second = "WRITE_ONCE(*y, 1); smp_mb(); r = READ_ONCE(*x);";
        is_allowed(&[&first, second], "0:r=0 /\\ 1:r=0")
    };
    assert!(!store_buffering("q = atomic_inc_return(a);"));
    assert!(!store_buffering("q = atomic_cmpxchg(a, 0, 1);"));
    assert!(store_buffering("q = atomic_cmpxchg(a, 5, 1);"));
    assert!(store_buffering("q = atomic_add_unless(a, 1, 0);"));
    assert!(!store_buffering("q = atomic_add_unless(a, 1, 5);"));
    for weaker in ["_relaxed", "_acquire", "_release"] {
        assert!(store_buffering(&format!(
            "q = atomic_fetch_inc{weaker}(a);"
        )));
    }
    assert!(store_buffering("atomic_inc(a);"));
    assert!(!store_buffering("atomic_inc(a); smp_mb__after_atomic();"));
    assert!(!store_buffering("smp_mb__before_atomic(); atomic_inc(a);"));
    assert!(store_buffering("smp_mb__after_atomic();"));
    assert!(store_buffering("smp_mb__after_atomic(); atomic_inc(a);"));
    assert!(!store_buffering(
        "spin_lock(l); smp_mb__after_spinlock(); spin_unlock(l);"
    ));
    assert!(store_buffering("spin_lock(l); spin_unlock(l);"));
    let twice =
        "spin_lock(l); spin_unlock(l); spin_lock(l); smp_mb__after_unlock_lock(); spin_unlock(l);";
    assert!(!store_buffering(twice));
    assert!(store_buffering(
        &twice.replace("smp_mb__after_unlock_lock();", "")
    ));
    assert!(store_buffering("smp_mb__after_unlock_lock();"));
}

#[test]
fn smp_rmb_does_not_see_an_atomic_that_returns_nothing() {
    let writer = "atomic_set(a, 1); smp_wmb(); WRITE_ONCE(*y, 1);";
    let void = "r = READ_ONCE(*y); smp_rmb(); atomic_inc(a);";
    let returning = void.replace("atomic_inc", "q = atomic_fetch_inc_relaxed");
    assert!(is_allowed(&[writer, void], "1:r=1 /\\ a=1"));
    assert!(!is_allowed(&[writer, &returning], "1:r=1 /\\ a=1"));
}

#[test]
fn nothing_comes_between_the_read_and_the_write_of_an_atomic() {
    let increments = ["atomic_inc(a);", "r = atomic_fetch_inc_relaxed(a);"];
    assert!(!is_allowed(&increments, "a=1"));
    assert!(is_allowed(&increments, "a=2"));
    let apart = ["r = atomic_read(a); atomic_set(a, r + 1);", increments[1]];
    assert!(is_allowed(&apart, "a=1"));
}

#[test]
fn a_lock_is_held_by_one_and_hands_on_what_was_done_under_it() {
    let section = "spin_lock(l); r = READ_ONCE(*x); WRITE_ONCE(*x, r + 1); spin_unlock(l);";
    assert!(!is_allowed(&[section, section, section], "x=2"));
    assert!(!is_allowed(
        &["r = spin_trylock(l);", "r = spin_trylock(l);"],
        "0:r=0 /\\ 1:r=0"
    ));
    assert!(!is_allowed(
        &["r = spin_trylock(l);", "r = spin_trylock(l);"],
        "0:r=1 /\\ 1:r=1"
    ));
    let unlock_lock = "spin_lock(l); WRITE_ONCE(*x, 1); spin_unlock(l); spin_lock(l); WRITE_ONCE(*y, 1); spin_unlock(l);";
    assert!(!message(unlock_lock, RMB));
    let stuck = judged(&test(&["spin_lock(l); spin_lock(l);"], "true"));
    assert!(matches!(stuck.coverage, Coverage::Violation(_)) && stuck.observation.is_none());
}

#[test]
fn a_grace_period_waits_for_sections_of_its_kind() {
    let rcu = |lock: &str, unlock: &str, wait: &str| {
        let reader = format!("{lock} r = READ_ONCE(*y); q = READ_ONCE(*x); {unlock}");
        message(
            &format!("WRITE_ONCE(*x, 1); {wait} WRITE_ONCE(*y, 1);"),
            &reader,
        )
    };
    assert!(!rcu(
        "rcu_read_lock();",
        "rcu_read_unlock();",
        "synchronize_rcu();"
    ));
    assert!(rcu("rcu_read_lock();", "rcu_read_unlock();", "smp_mb();"));
    let (lock, unlock) = ("i = srcu_read_lock(s);", "srcu_read_unlock(s, i);");
    assert!(!rcu(lock, unlock, "synchronize_srcu(s);"));
    assert!(rcu(lock, unlock, "synchronize_srcu(t);"));
    assert!(rcu(lock, unlock, "synchronize_rcu();"));
    assert!(rcu(
        "rcu_read_lock();",
        "rcu_read_unlock();",
        "synchronize_srcu(s);"
    ));
}

#[test]
fn two_sections_need_two_grace_periods() {
    let section = |from: &str, to: &str| {
        format!("rcu_read_lock(); r = READ_ONCE(*{from}); WRITE_ONCE(*{to}, 1); rcu_read_unlock();")
    };
    let wait = |from: &str, to: &str| {
        format!("r = READ_ONCE(*{from}); synchronize_rcu(); WRITE_ONCE(*{to}, 1);")
    };
    let all = "0:r=1 /\\ 1:r=1 /\\ 2:r=1";
    assert!(is_allowed(
        &[&section("x", "y"), &section("y", "z"), &wait("z", "x")],
        all
    ));
    assert!(!is_allowed(
        &[&section("x", "y"), &wait("y", "z"), &wait("z", "x")],
        all
    ));
}

#[test]
fn what_was_seen_before_a_release_is_handed_on() {
    let reader = "r = smp_load_acquire(z); q = READ_ONCE(*x);";
    let middle = |order: &str| format!("r = READ_ONCE(*y); {order}");
    let all = "1:r=1 /\\ 2:r=1 /\\ 2:q=0";
    let first = "WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 1);";
    assert!(!is_allowed(
        &[first, &middle("smp_store_release(z, 1);"), reader],
        all
    ));
    assert!(is_allowed(
        &[first, &middle("smp_wmb(); WRITE_ONCE(*z, 1);"), reader],
        all
    ));
}

#[test]
fn plain_accesses_race_unless_something_bounds_them() {
    let flags = |processes: &[&str]| judged(&test(processes, "true")).flags;
    let writer = "*x = 1; smp_store_release(y, 1);";
    let reader = "r = smp_load_acquire(y); if (r) q = *x;";
    assert!(flags(&[writer, reader]).is_empty());
    assert_eq!(flags(&[writer, "q = *x;"]), ["data-race"]);
    assert_eq!(
        flags(&[
            writer,
            &reader.replace("smp_load_acquire(y)", "READ_ONCE(*y)")
        ]),
        ["data-race"]
    );
    assert_eq!(flags(&["*x = 1;", "*x = 2;"]), ["data-race"]);
    assert!(
        flags(&[
            "spin_lock(l); *x = 1; spin_unlock(l);",
            "spin_lock(l); r = *x; spin_unlock(l);"
        ])
        .is_empty()
    );
    assert_eq!(flags(&["*x = 1; WRITE_ONCE(*x, 2);"]), ["mixed-accesses"]);
}

#[test]
fn what_is_wrong_with_sections_is_flagged() {
    let flags = |process: &str| judged(&test(&[process], "true")).flags;
    assert_eq!(flags("rcu_read_lock();"), ["unmatched-rcu-lock"]);
    assert_eq!(flags("rcu_read_unlock();"), ["unmatched-rcu-unlock"]);
    assert_eq!(flags("i = srcu_read_lock(s);"), ["unmatched-srcu-lock"]);
    assert_eq!(flags("srcu_read_unlock(s, 0);"), ["unmatched-srcu-unlock"]);
    let twice = "i = srcu_read_lock(s); srcu_read_unlock(s, i); srcu_read_unlock(s, i);";
    assert_eq!(flags(twice), ["multiple-srcu-matches"]);
}

#[test]
fn a_filter_leaves_executions_out_with_their_races() {
    let source = test(
        &[
            "*x = 1; smp_store_release(y, 1);",
            "r = smp_load_acquire(y); q = *x;",
        ],
        "1:q=0",
    );
    assert_eq!(judged(&source).flags, ["data-race"]);
    let report = judged(&source.replace("exists", "filter (1:r=1)\nexists"));
    assert!(report.flags.is_empty() && report.filtered > 0);
    assert_eq!(report.observation, Some(Observation::Never));
}

#[test]
fn what_has_no_meaning_is_a_fault_in_an_execution_that_is_allowed_only() {
    let faults = |writer: &str| {
        let source = test(&[writer, "r = READ_ONCE(*x); q = 1 / (1 - r);"], "true");
        judged(&source).coverage
    };
    assert_eq!(faults("WRITE_ONCE(*x, 2);"), Coverage::Complete);
    let Coverage::Violation(what) = faults("WRITE_ONCE(*x, 1);") else {
        panic!("a division by zero")
    };
    assert_eq!(what, "bug: a division by zero");
}

#[test]
fn a_search_that_is_cut_short_says_so_and_makes_no_observation() {
    let source = test(&[WMB, RMB], "1:r=1 /\\ 1:q=0");
    let litmus = Litmus::parse(&source).expect("a test");
    let (cut, judged) = litmus.lkmm(usize::MAX, &mut |judged| judged >= 2);
    assert_eq!((judged, cut.observation), (2, None));
    assert!(matches!(cut.coverage, Coverage::Truncated(_)));
    let (full, _) = litmus.lkmm(1, &mut |_| false);
    assert_eq!(
        full.coverage,
        Coverage::Truncated("after 1 distinct outcomes".to_owned())
    );
}
