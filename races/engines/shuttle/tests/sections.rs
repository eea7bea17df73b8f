//! The shuttle engine: sections, waits, what code looks at, and the heads of dependencies.

use std::collections::BTreeSet;
use std::sync::Arc;

use gupcheck_program::{Exploration, Program, Returned, Violation};
use gupcheck_shuttle::{ShuttleEngine, schedule_of};
use gupcheck_sync::{LaneId, Layout, Op};
use gupcheck_trials::dependencies::Link;
use gupcheck_trials::*;

const DFS: ShuttleEngine = ShuttleEngine::DFS;
const ALL: [ShuttleEngine; 4] = [
    ShuttleEngine::RANDOM,
    ShuttleEngine::PCT,
    ShuttleEngine::URW,
    DFS,
];

fn every(program: Program) -> Exploration {
    explore(&DFS, program, &search())
}

/// Explores a program in which nothing can go wrong; all its results.
fn all(program: Program) -> BTreeSet<Vec<i64>> {
    let found = every(program);
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
    for waits in [true, false] {
        assert_eq!(
            all(sections::write_wait_write(waits)),
            set([[0, 0], [0, 1], [1, 1]])
        );
    }
    assert_eq!(
        all(sections::store_wait_load()),
        set([[0, 1], [1, 0], [1, 1]])
    );
    assert!(!all(sections::load_wait_section()).contains(&vec![1, 1, 0]));
    assert!(!all(sections::section_wait_load()).contains(&vec![0, 0, 0]));
    assert_eq!(
        all(sections::sections_alone()),
        set([[0, 1], [1, 0], [1, 1]])
    );
}

#[test]
fn what_is_freed_after_a_wait_is_used_by_nobody() {
    assert_eq!(all(sections::unlink_and_free(true)), set([[0], [1]]));
    for engine in ALL {
        let found = explore(&engine, sections::unlink_and_free(false), &search());
        let violation = &broken(&found).violation;
        assert!(
            matches!(violation, Violation::DataRace { .. } | Violation::Fault(_)),
            "{violation:?}"
        );
    }
}

#[test]
fn a_section_that_began_before_its_waiter_is_waited_for() {
    assert_eq!(all(sections::spawned_waiter()), set([[1]]));
}

// --- Who is waited for -------------------------------------------------------------------------

#[test]
fn cpus_answer_in_any_order() {
    let early = all(sections::answers_in_any_order(true));
    assert_eq!(
        early,
        set([
            [0, 0, 0],
            [0, 1, 0],
            [0, 1, 1],
            [1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]
        ])
    );
    let late = all(sections::answers_in_any_order(false));
    let turned = |r: &Vec<i64>| vec![r[2], r[0], r[1]];
    assert_eq!(late.iter().map(turned).collect::<BTreeSet<_>>(), early);
    for (kept_first, found) in [(true, early), (false, late)] {
        assert!(found.contains(&sections::answered_before_another_left(kept_first)));
    }
    assert!(!all(sections::a_section_after_another()).contains(&vec![0, 1, 0]));
}

#[test]
fn only_sections_of_others_and_of_the_kinds_are_waited_for() {
    assert_eq!(all(sections::waits_in_its_own_section()), set([[0], [1]]));
    assert_complete(&every(sections::waits_for_another_kind()));
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
    assert_complete(&every(sections::a_wait_while_another_lasts()));
}

// --- What is told ------------------------------------------------------------------------------

/// CPU 0 writes and waits, and writes something else; CPU 1 reads both, in a section.
fn written_around_a_wait() -> Arc<Program> {
    let mut layout = Layout::new();
    let before = layout.plain("before", 0);
    let after = layout.plain("after", 0);
    let section = layout.section("section");
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        before.write(lane, 1);
        lane.wait_for(&[section]);
        after.write(lane, 1);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        let seen = before.read(lane);
        let later = after.read(lane);
        section.leave(lane);
        r(seen).int("r", later.into())
    });
    Arc::new(program)
}

fn races_on(program: &Arc<Program>, schedule: &[u8]) -> Option<String> {
    let schedule: Vec<_> = schedule.iter().map(|&lane| LaneId(lane)).collect();
    let followed = ShuttleEngine::follow(program, &schedule);
    let Violation::DataRace { cell } = followed.violation? else {
        panic!("no other violation")
    };
    Some(program.layout().decl(cell).name.to_string())
}

#[test]
fn waits_and_sections_tell_and_nothing_else_does() {
    let program = written_around_a_wait();
    let races = |schedule: &[u8]| races_on(&program, schedule);
    // The section comes first: it knows of nothing, and the end of the wait knows of it.
    assert_eq!(races(&[1, 0]).as_deref(), Some("before"));
    assert_eq!(races(&[1, 1, 0]).as_deref(), Some("before"));
    // The wait begins directly after the write: the section knows of that, and the end of the wait of no section.
    assert_eq!(races(&[0, 1, 1, 0, 0, 1]).as_deref(), Some("after"));
    assert_eq!(races(&[0, 1, 1, 1, 1, 0, 0]).as_deref(), Some("after"));
    assert_eq!(races(&[0, 0, 0, 1, 1, 1]).as_deref(), Some("after"));
}

// --- Deadlocks ---------------------------------------------------------------------------------

#[test]
fn waiting_for_a_section_that_does_not_end_is_a_deadlock() {
    let programs: [fn() -> Program; 5] = [
        || sections::section_spins_for_its_waiter(false),
        || sections::section_spins_for_its_waiter(true),
        || sections::waits_within_sections(false),
        || sections::never_leaves(false),
        sections::looks_and_waits,
    ];
    for (engine, program) in ALL.iter().flat_map(|e| programs.map(|p| (e, p))) {
        let found = explore(engine, program(), &search());
        let waiting = waiting(&found);
        let others = waiting.iter().filter(|(lane, _)| *lane != CPU0);
        assert!(matches!(waiting[0], (CPU0, Op::Wait(_))), "{waiting:?}");
        assert!(others.count() <= 1);
        let found = broken(&found);
        let Some(gupcheck_program::Schedule::Cpus(schedule)) = &found.schedule else {
            panic!("{:?}", found.schedule)
        };
        let told: Vec<u8> = schedule_of(&found.trace)
            .iter()
            .map(|lane| lane.0)
            .collect();
        assert_eq!(*schedule, told);
        assert_replays(engine, program());
    }
}

#[test]
fn a_schedule_that_goes_on_is_followed_where_a_wait_might_have_begun_later() {
    // CPU 0 looks and begins to wait, CPU 1 enters, and nobody but CPU 0 can go on: it does.
    let program = Arc::new(sections::looks_and_waits());
    let lanes = |of: &[u8]| of.iter().map(|&lane| LaneId(lane)).collect::<Vec<_>>();
    let whole = lanes(&[0, 1, 1, 0, 0, 1, 1]);
    let followed = ShuttleEngine::follow(&program, &whole);
    assert_eq!((followed.violation, followed.misfit), (None, None));
    assert_eq!(followed.schedule, whole);
    let followed = ShuttleEngine::follow(&program, &lanes(&[0, 1, 1]));
    let Some(Violation::Deadlock { waiting }) = followed.violation else {
        panic!("{:?}", followed.violation)
    };
    assert_eq!(waiting.len(), 2);
}

#[test]
fn where_waiting_may_fail_a_wait_that_may_end_does() {
    let mut program = sections::looks_and_waits();
    program.let_waits_fail();
    let found = every(program);
    assert_complete(&found);
    assert_eq!(found.blocked, 0);
    let mut program = sections::section_spins_for_its_waiter(true);
    program.let_waits_fail();
    let found = every(program);
    assert_complete(&found);
    assert_eq!((found.executions, found.blocked > 0), (0, true));
}

// --- Defects, looks, dependencies --------------------------------------------------------------

#[test]
fn entering_twice_and_leaving_what_one_is_not_in_are_defects() {
    for engine in ALL {
        let found = explore(&engine, sections::enters_twice(), &search());
        assert_eq!(message(&found), sections::ENTERS_TWICE);
        let found = explore(&engine, sections::leaves_another(), &search());
        assert_eq!(message(&found), sections::LEAVES_ANOTHER);
    }
}

#[test]
fn every_question_is_answered_and_the_trace_keeps_the_value() {
    assert_eq!(all(looks::every_question()), set([[0]]));
    let mut program = looks::every_question();
    program.always("never", |_| false);
    let found = every(program);
    assert_eq!(looks::reads_of(&broken(&found).trace), looks::values_read());
}

#[test]
fn dependencies_are_loads_like_any_other() {
    for order in [Dependency, Loose] {
        let found = all(dependencies::message(Link::OBJECT, order));
        assert_eq!(found, set([[0, 0], [0, 1], [1, 1]]));
        let found = all(dependencies::spun_message(Link::FLAG, order));
        assert_eq!(found, set([[2, 1]]));
        assert_complete(&every(dependencies::plain_message(Link::FLAG, order)));
    }
    let found = all(dependencies::an_earlier_load());
    assert_eq!(found, set([[0, 0], [0, 1], [1, 1]]));
}
