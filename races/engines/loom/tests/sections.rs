//! The loom engine: sections and waits, what they promise, and where loom has them stronger.

mod common;

use common::explored;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{Program, Returned, Violation};
use gupcheck_sync::{Layout, Op};
use gupcheck_trials::*;

/// Explores a program in which nothing can go wrong; all its results.
fn all(program: Program) -> std::collections::BTreeSet<Vec<i64>> {
    let found = explored(program);
    assert_complete(&found);
    results(&found)
}

// --- What a wait orders ------------------------------------------------------------------------

#[test]
fn a_section_comes_before_the_end_or_after_the_beginning() {
    assert_eq!(
        all(sections::before_or_after()),
        set([[0, 1], [1, 0], [1, 1]])
    );
    assert_eq!(
        all(sections::write_wait_write(true)),
        set([[0, 0], [0, 1], [1, 1]])
    );
    assert_eq!(
        all(sections::write_wait_write(false)),
        set([[0, 0], [0, 1], [1, 0], [1, 1]])
    );
}

#[test]
fn a_wait_is_a_full_barrier() {
    assert_eq!(
        all(sections::store_wait_load()),
        set([[0, 1], [1, 0], [1, 1]])
    );
    let found = all(sections::load_wait_section());
    assert!(!found.contains(&vec![1, 1, 0]));
    assert!(found.is_superset(&set([[0, 1, 0], [1, 0, 0], [1, 1, 1]])));
    let found = all(sections::section_wait_load());
    assert!(!found.contains(&vec![0, 0, 0]));
    assert!(found.is_superset(&set([[0, 0, 1], [0, 1, 0], [1, 0, 0]])));
}

#[test]
fn what_is_freed_after_a_wait_is_used_by_nobody() {
    assert_eq!(all(sections::unlink_and_free(true)), set([[0], [1]]));
    let found = explored(sections::unlink_and_free(false));
    assert!(matches!(
        broken(&found).violation,
        Violation::DataRace { .. } | Violation::Fault(_)
    ));
}

#[test]
fn a_section_that_began_before_its_waiter_is_waited_for() {
    assert_eq!(all(sections::spawned_waiter()), set([[1]]));
}

// --- What a wait does not order ----------------------------------------------------------------

#[test]
fn sections_alone_order_nothing() {
    assert_eq!(
        all(sections::sections_alone()),
        set([[0, 0], [0, 1], [1, 0], [1, 1]])
    );
}

/// Stronger than the promise: a CPU that is visited late answers late.
#[test]
fn cpus_answer_in_order() {
    let last = all(sections::answers_in_any_order(false));
    assert!(last.contains(&sections::answered_before_another_left(false)));
    let first = all(sections::answers_in_any_order(true));
    assert!(!first.contains(&sections::answered_before_another_left(true)));
    // All else is there: who sees what came after the wait sees what came before it.
    assert_eq!(
        first,
        set([[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])
    );
}

/// Stronger than the promise: a gate tells who comes after a visit of all that the waiter knew.
#[test]
fn a_section_sees_those_that_were_visited_before_it_began() {
    let found = all(sections::a_section_after_another());
    assert!(found.contains(&vec![0, 1, 1]));
    assert!(!found.contains(&vec![0, 1, 0]));
}

/// What the native engine does on the machine keeps the promise under C11, too, as far as loom can see.
#[test]
fn counters_and_fences_keep_the_promise() {
    let ordered = set([[0, 1], [1, 0], [1, 1]]);
    assert_eq!(all(sections::by_counter(true)), ordered);
    assert!(all(sections::by_counter(false)).contains(&vec![0, 0]));
    assert_complete(&explored(sections::unlink_and_free_by_counter(true)));
    broken(&explored(sections::unlink_and_free_by_counter(false)));
}

// --- Who is waited for -------------------------------------------------------------------------

#[test]
fn nobody_waits_for_itself() {
    assert_eq!(all(sections::waits_in_its_own_section()), set([[0], [1]]));
}

#[test]
fn kinds_are_apart() {
    assert_complete(&explored(sections::waits_for_another_kind()));
    assert_eq!(
        all(sections::overlapping_kinds()),
        set([[0, 0], [0, 1], [1, 1]])
    );
}

#[test]
fn waits_do_not_exclude_each_other() {
    let found = all(sections::two_waiters());
    assert!(found.contains(&vec![1, 1, 0]) && found.contains(&vec![0, 0, 1]));
    assert!(!found.iter().any(|r| r[0] == 0 && r[2] == 0), "{found:?}");
    assert_complete(&explored(sections::a_wait_while_another_lasts()));
}

// --- Deadlocks ---------------------------------------------------------------------------------

#[test]
fn waiting_for_a_section_that_does_not_end_is_a_deadlock() {
    let programs: [fn() -> Program; 3] = [
        || sections::section_spins_for_its_waiter(false),
        || sections::section_spins_for_its_waiter(true),
        sections::looks_and_waits,
    ];
    for program in programs {
        let waiting = waiting(&explored(program()));
        assert!(
            matches!(
                waiting[..],
                [(CPU0, Op::Wait(_)), (CPU1, Op::SpinUntil { .. })]
            ),
            "{waiting:?}"
        );
        assert_replays(&LoomEngine, program());
    }
    for sure in [false, true] {
        let waits = waiting(&explored(sections::waits_within_sections(sure)));
        assert!(matches!(
            waits[..],
            [(CPU0, Op::Wait(_)), (CPU1, Op::Wait(_))]
        ));
        assert_replays(&LoomEngine, sections::waits_within_sections(sure));
    }
}

#[test]
fn a_cpu_that_ends_in_a_section_never_leaves_it() {
    let found = explored(sections::never_leaves(false));
    assert!(matches!(waiting(&found)[..], [(CPU0, Op::Wait(_))]));
    let mut layout = Layout::new();
    let lock = layout.spin_lock("lock");
    let mut program = Program::new(layout);
    program.let_ends_keep();
    for name in ["cpu0", "cpu1"] {
        program.cpu(name, move |lane| {
            lock.lock(lane);
            Returned::nothing()
        });
    }
    let found = explored(program);
    assert!(matches!(waiting(&found)[..], [(CPU1, Op::Lock { .. })]));
}

// --- Defects, and running it again -------------------------------------------------------------

#[test]
fn entering_twice_and_leaving_what_one_is_not_in_are_defects() {
    let found = explored(sections::enters_twice());
    assert_eq!(message(&found), sections::ENTERS_TWICE);
    let found = explored(sections::leaves_another());
    assert_eq!(message(&found), sections::LEAVES_ANOTHER);
}

#[test]
fn an_execution_with_a_wait_can_be_run_again() {
    let mut program = sections::write_wait_write(true);
    program.always("nobody is past the wait", |end| {
        end.returned(CPU1).get("r") == Some(0)
    });
    assert_replays(&LoomEngine, program);
    assert_replays(&LoomEngine, sections::unlink_and_free(false));
}
