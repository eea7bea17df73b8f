//! The native engine: sections, waits, what code looks at, and the heads of dependencies, as far as the machine shows.

use std::collections::BTreeSet;

use gupcheck_native::NativeEngine;
use gupcheck_program::{Cut, Exploration, Program, Verdict, Violation};
use gupcheck_sync::Op;
use gupcheck_trials::dependencies::Link;
use gupcheck_trials::*;

/// Rounds enough to see what happens often.
const SOME: u64 = 2_000;
/// Rounds in which what is wrong with a barrier has a chance to show.
const MANY: u64 = 20_000;

fn rounds(program: Program, n: u64) -> Exploration {
    explore(&NativeEngine, program, &at_most(n))
}

/// Runs a program in which nothing can go wrong; the results that came up.
fn seen(program: Program, n: u64) -> BTreeSet<Vec<i64>> {
    let found = rounds(program, n);
    assert!(
        matches!(found.verdict, Verdict::Truncated(Cut::Executions(_))),
        "{:?}",
        found.verdict
    );
    results(&found)
}

#[test]
fn a_section_comes_before_the_end_or_after_the_beginning() {
    let found = seen(sections::before_or_after(), MANY);
    assert!(found.is_subset(&set([[0, 1], [1, 0], [1, 1]])));
    let found = seen(sections::write_wait_write(true), MANY);
    assert!(found.is_subset(&set([[0, 0], [0, 1], [1, 1]])));
    let found = seen(sections::store_wait_load(), MANY);
    assert!(found.is_subset(&set([[0, 1], [1, 0], [1, 1]])));
    let found = seen(sections::load_wait_section(), SOME);
    assert!(!found.contains(&vec![1, 1, 0]));
    let found = seen(sections::section_wait_load(), SOME);
    assert!(!found.contains(&vec![0, 0, 0]));
}

#[test]
fn what_is_freed_after_a_wait_is_used_by_nobody() {
    let found = seen(sections::unlink_and_free(true), MANY);
    assert!(found.is_subset(&set([[0], [1]])));
}

#[test]
fn a_section_that_began_before_its_waiter_is_waited_for() {
    assert_eq!(seen(sections::spawned_waiter(), SOME), set([[1]]));
}

#[test]
fn only_sections_of_others_and_of_the_kinds_are_waited_for() {
    seen(sections::waits_in_its_own_section(), SOME);
    seen(sections::waits_for_another_kind(), SOME);
    seen(sections::a_wait_while_another_lasts(), SOME);
    let found = seen(sections::overlapping_kinds(), MANY);
    assert!(found.is_subset(&set([[0, 0], [0, 1], [1, 1]])));
    let found = seen(sections::two_waiters(), SOME);
    assert!(!found.iter().any(|r| r[0] == 0 && r[2] == 0), "{found:?}");
    seen(sections::sections_alone(), SOME);
}

#[test]
fn cpus_answer_in_any_order() {
    for kept_first in [true, false] {
        let found = seen(sections::answers_in_any_order(kept_first), SOME);
        // By label: before and after of the one that answers.
        let of = |r: &[i64]| {
            if kept_first {
                (r[1], r[2])
            } else {
                (r[0], r[1])
            }
        };
        assert!(found.iter().all(|r| of(r) != (0, 1)), "{found:?}");
    }
    seen(sections::a_section_after_another(), SOME);
}

// --- Deadlocks and defects ---------------------------------------------------------------------

#[test]
fn waiting_for_a_section_that_does_not_end_is_a_deadlock() {
    let programs: [fn(bool) -> Program; 3] = [
        sections::section_spins_for_its_waiter,
        sections::waits_within_sections,
        sections::never_leaves,
    ];
    for program in programs {
        let found = rounds(program(true), 1);
        let waiting = waiting(&found);
        assert!(
            waiting.iter().any(|(_, op)| matches!(op, Op::Wait(_))),
            "{waiting:?}"
        );
        let is_done = broken(&found).trace.iter().any(|event| {
            matches!(
                event.what,
                gupcheck_sync::What::Op {
                    op: Op::Wait(_),
                    ..
                }
            )
        });
        assert!(!is_done, "nobody's wait is over");
    }
}

#[test]
fn entering_twice_and_leaving_what_one_is_not_in_are_defects() {
    let found = rounds(sections::enters_twice(), 10);
    assert_eq!(message(&found), sections::ENTERS_TWICE);
    let found = rounds(sections::leaves_another(), 10);
    assert_eq!(message(&found), sections::LEAVES_ANOTHER);
}

/// The next round begins outside of all sections, whatever became of the last one.
#[test]
fn a_section_ends_with_its_round() {
    let mut layout = gupcheck_sync::Layout::new();
    let section = layout.section("section");
    let mut program = Program::new(layout);
    program.let_ends_keep();
    program.cpu("cpu0", move |lane| {
        section.enter(lane);
        r(0)
    });
    assert_eq!(seen(program, SOME), set([[0]]));
}

// --- Looks and dependencies --------------------------------------------------------------------

#[test]
fn every_question_is_answered_and_the_trace_keeps_the_value() {
    assert_eq!(seen(looks::every_question(), 10), set([[0]]));
    let mut program = looks::every_question();
    program.always("never", |_| false);
    let found = rounds(program, 10);
    let found = broken(&found);
    assert!(matches!(found.violation, Violation::Property { .. }));
    assert_eq!(looks::reads_of(&found.trace), looks::values_read());
}

#[test]
fn a_dependency_orders_where_the_value_leads_somewhere() {
    let found = seen(dependencies::message(Link::OBJECT, Dependency), SOME);
    assert!(found.is_subset(&set([[0, 0], [0, 1], [1, 1]])));
    let found = seen(dependencies::spun_message(Link::OBJECT, Dependency), SOME);
    assert_eq!(found, set([[1, 1]]));
    let found = seen(dependencies::plain_message(Link::OBJECT, Dependency), SOME);
    assert!(found.is_subset(&set([[0, 0], [1, 1]])));
}
