//! The sentence alone, for each kind of violation.

use expect_test::{Expect, expect};
use gupcheck_sync::{Fault, LaneId, LoadOrder, LockMode, Look, Op, Until};

use super::LANES;
use super::traces::{Machine, Script, finding, load, lock, program, store};
use crate::headline_of;
use gupcheck_program::{Did, Difference, Returned, Violation};

fn check_headline(
    violation: Violation,
    script: impl FnOnce(&Machine, &mut Script),
    expected: &Expect,
) {
    let machine = Machine::new();
    let mut events = Script::on(&machine);
    script(&machine, &mut events);
    let counterexample = events.ends(violation, Vec::new());
    let program = program(machine.layout, LANES);
    expected.assert_eq(&headline_of(&finding(&counterexample, &program)));
}

#[test]
fn a_plain_data_race() {
    let cell = Machine::new().data.id();
    check_headline(
        Violation::DataRace { cell },
        |_, script| {
            script.op(0, Op::Write { cell, value: 8 });
            script.op(1, Op::Read { cell });
        },
        &expect![
            "data race on folio3.data: (1) cpu0 gup changed folio3.data from 7 to 8, then (2) cpu1 khugepaged read folio3.data = 8, and nothing orders the two"
        ],
    );
}

#[test]
fn a_data_race_whose_second_access_was_not_reported() {
    let cell = Machine::new().data.id();
    check_headline(
        Violation::DataRace { cell },
        |_, script| {
            script.op(0, Op::Write { cell, value: 8 });
        },
        &expect!["data race on folio3.data: at last (1) cpu0 gup changed folio3.data from 7 to 8"],
    );
}

#[test]
fn a_kernel_bug() {
    let cell = Machine::new().refcount.id();
    check_headline(
        Violation::Fault(Fault::Bug {
            what: "refcount is not positive",
            cell: Some(cell),
        }),
        |_, script| {
            script.op(1, store(cell, 0));
            script.op(0, load(cell));
        },
        &expect![
            "bug: refcount is not positive (folio3.refcount): (1) cpu1 khugepaged changed folio3.refcount from 1 to 0, then (2) cpu0 gup read folio3.refcount = 0"
        ],
    );
}

#[test]
fn a_deadlock() {
    let machine = Machine::new();
    let waiting = vec![
        (LaneId(0), lock(&machine)),
        (
            LaneId(1),
            Op::SpinUntil {
                cell: machine.pmd.id(),
                order: LoadOrder::Relaxed,
                until: Until::Equals(0),
                look: Look::Value,
            },
        ),
    ];
    check_headline(
        Violation::Deadlock { waiting },
        |machine, script| {
            script.op(1, lock(machine));
            script.op(0, load(machine.pmd.id()));
        },
        &expect![
            "deadlock: cpu0 gup waits for mm0.page_table_lock, cpu1 khugepaged waits until mm0.pmd[0] == none (it is table2)"
        ],
    );
}

#[test]
fn a_cpu_that_ends_with_a_lock() {
    let held = Machine::new().lock.id();
    check_headline(
        Violation::Fault(Fault::EndsHolding {
            lane: LaneId(0),
            lock: held,
        }),
        |machine, script| {
            script.op(0, lock(machine));
            script.op(1, load(machine.pmd.id()));
        },
        &expect![
            "cpu0 gup ends while it holds mm0.page_table_lock, since (1) cpu0 gup took mm0.page_table_lock"
        ],
    );
}

#[test]
fn a_panic() {
    check_headline(
        Violation::Panic {
            message: "index out of bounds".to_owned(),
        },
        |machine, script| {
            script.op(
                0,
                Op::Lock {
                    lock: machine.lock.id(),
                    mode: LockMode::Shared,
                },
            );
        },
        &expect![
            "panic in the scenario or the model: index out of bounds: at last (1) cpu0 gup took mm0.page_table_lock"
        ],
    );
}

#[test]
fn a_cpu_that_is_not_deterministic() {
    check_headline(
        Violation::Nondeterminism(Box::new(Difference {
            lane: LaneId(0),
            nth: 3,
            was: Did::Returned(Returned::nothing().int("ret", 1)),
            then: Did::Panicked("index out of bounds".to_owned()),
        })),
        |_, _| {},
        &expect![
            "not deterministic: cpu0 gup, operation 3: was its end, returning ret=1, then a panic: index out of bounds, after the very same values"
        ],
    );
}

#[test]
fn a_vacuous_property() {
    check_headline(
        Violation::Vacuous {
            index: 0,
            text: "gup returns the page".to_owned(),
        },
        |_, _| {},
        &expect!["never seen: sometimes gup returns the page"],
    );
}

#[test]
fn an_entry_that_changed_once_says_more_than_a_counter_that_changes_all_the_time() {
    let machine = Machine::new();
    let (pte, refcount) = (machine.pte.id(), machine.refcount.id());
    check_headline(
        Violation::Property {
            index: 0,
            text: "references are accounted for".to_owned(),
        },
        |_, script| {
            script.op(0, load(pte));
            script.op(1, store(refcount, 2));
            script.op(1, store(pte, 0));
            script.op(1, store(refcount, 1));
            script.stale_load(0, refcount, 1);
            script.op(0, load(refcount));
        },
        &expect![
            "broken: always references are accounted for: (1) cpu0 gup read table2.pte[0] = folio3 present|write, then (2) cpu1 khugepaged changed table2.pte[0] from folio3 present|write to none, and cpu0 gup never looked again"
        ],
    );
}

#[test]
fn a_read_that_was_made_good_by_another_look_is_not_to_blame() {
    let pte = Machine::new().pte.id();
    check_headline(
        Violation::Property {
            index: 0,
            text: "references are accounted for".to_owned(),
        },
        |_, script| {
            script.op(0, load(pte));
            script.op(1, store(pte, 0));
            script.op(0, load(pte));
        },
        &expect![
            "broken: always references are accounted for: at last (1) cpu0 gup read table2.pte[0] = none"
        ],
    );
}

/// The headline of a broken property, where the last of these lanes is in the background.
fn check_among_noise(script: impl FnOnce(&Machine, &mut Script), expected: &Expect) {
    let machine = Machine::new();
    let mut events = Script::on(&machine);
    script(&machine, &mut events);
    let text = "references are accounted for".to_owned();
    let counterexample = events.ends(Violation::Property { index: 0, text }, Vec::new());
    let mut program = program(machine.layout, &[LANES, &["pfn walker"]].concat());
    let of_this_test = std::sync::Arc::get_mut(&mut program).expect("nobody else has it");
    of_this_test.put_in_background(LaneId(2));
    expected.assert_eq(&headline_of(&finding(&counterexample, &program)));
}

#[test]
fn those_whom_the_race_is_about_are_to_blame_before_noise() {
    let script = |machine: &Machine, script: &mut Script| {
        let (pte, refcount) = (machine.pte.id(), machine.refcount.id());
        script.op(0, load(pte));
        script.op(1, store(refcount, 2));
        script.op(1, store(refcount, 1));
        script.op(1, load(refcount));
        script.op(0, load(refcount));
        script.op(2, store(pte, 0));
        script.op(1, store(refcount, 2));
        script.op(0, load(machine.pmd.id()));
    };
    check_among_noise(
        script,
        &expect![
            "broken: always references are accounted for: (1) cpu0 gup read folio3.refcount = 1, then (2) cpu1 khugepaged changed folio3.refcount from 1 to 2, and cpu0 gup never looked again"
        ],
    );
}

#[test]
fn noise_that_is_named_is_called_noise() {
    check_among_noise(
        |machine, script| {
            let pte = machine.pte.id();
            script.op(0, load(pte));
            script.op(2, store(pte, 0));
            script.op(0, load(machine.pmd.id()));
        },
        &expect![
            "broken: always references are accounted for: (1) cpu0 gup read table2.pte[0] = folio3 present|write, then (2) pfn walker (noise) changed table2.pte[0] from folio3 present|write to none, and cpu0 gup never looked again"
        ],
    );
}

#[test]
fn what_the_race_did_last_is_told_and_not_what_noise_did() {
    check_among_noise(
        |machine, script| {
            script.op(0, load(machine.pte.id()));
            script.op(2, load(machine.pmd.id()));
        },
        &expect![
            "broken: always references are accounted for: at last (1) cpu0 gup read table2.pte[0] = folio3 present|write"
        ],
    );
}
