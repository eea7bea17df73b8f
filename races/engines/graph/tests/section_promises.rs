//! Sections and waits: what they promise under each model, and what they leave open.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::MODELS;
use gupcheck_graph::GraphEngine;
use gupcheck_program::Model::{Rc11, Tso};
use gupcheck_program::{Engine, Exploration, Model, Program, Search};
use gupcheck_sync::Op;
use gupcheck_trials::*;

fn explored(program: Program, model: Model) -> Exploration {
    let search = Search { model, ..search() };
    GraphEngine::default().explore(&Arc::new(program), &search)
}

/// Explores a program in which nothing can go wrong; all its results.
fn all(program: Program, model: Model) -> BTreeSet<Vec<i64>> {
    let found = explored(program, model);
    assert_complete(&found);
    results(&found)
}

/// The models, of SC, TSO and RC11, under which a program has such a result.
fn allowed_by(program: impl Fn() -> Program, result: &[i64]) -> Vec<Model> {
    let allows = |&model: &Model| all(program(), model).contains(result);
    MODELS.into_iter().filter(allows).collect()
}

// --- What a wait orders ------------------------------------------------------------------------

#[test]
fn a_section_comes_before_the_end_or_after_the_beginning() {
    for model in MODELS {
        let before_or_after = all(sections::before_or_after(), model);
        assert_eq!(before_or_after, set([[0, 1], [1, 0], [1, 1]]), "{model}");
        let written = all(sections::write_wait_write(true), model);
        assert_eq!(written, set([[0, 0], [0, 1], [1, 1]]), "{model}");
    }
    let without = || sections::write_wait_write(false);
    assert_eq!(allowed_by(without, &[1, 0]), [Rc11]);
}

/// Store, wait, load against store, full barrier, load: both 0 never.
#[test]
fn a_wait_is_a_full_barrier() {
    for model in MODELS {
        let found = all(sections::store_wait_load(), model);
        assert_eq!(found, set([[0, 1], [1, 0], [1, 1]]), "{model}");
    }
    assert_eq!(allowed_by(sections::load_wait_section, &[1, 1, 0]), []);
    assert_eq!(allowed_by(sections::section_wait_load, &[0, 0, 0]), []);
}

#[test]
fn what_is_freed_after_a_wait_is_used_by_nobody() {
    for model in MODELS {
        let found = all(sections::unlink_and_free(true), model);
        assert_eq!(found, set([[0], [1]]), "{model}");
        broken(&explored(sections::unlink_and_free(false), model));
    }
}

// --- What is left open -------------------------------------------------------------------------

/// Three CPUs: one that is kept, and one that answers at once and is in its next section when the wait ends. Whichever
/// of the two has the lower number.
#[test]
fn a_later_cpu_answers_first() {
    for kept_first in [true, false] {
        let program = || sections::answers_in_any_order(kept_first);
        let result = sections::answered_before_another_left(kept_first);
        assert_eq!(allowed_by(program, &result), MODELS, "{kept_first}");
    }
}

/// A store before a section is still in the store buffer inside it: two CPUs, each in a section, both read 0. Were
/// beginning a section to take a lock, TSO would forbid it.
#[test]
fn a_store_before_a_section_may_still_be_in_the_buffer_in_it() {
    assert_eq!(allowed_by(sections::sections_alone, &[0, 0]), [Tso, Rc11]);
    assert_eq!(allowed_by(|| store_buffering(false), &[0, 0]), [Tso, Rc11]);
}

#[test]
fn a_section_before_a_wait_and_one_after_it_are_not_ordered() {
    let result = [0, 1, 0];
    assert_eq!(
        allowed_by(sections::a_section_after_another, &result),
        [Rc11]
    );
}

// --- Who is waited for -------------------------------------------------------------------------

#[test]
fn waits_neither_exclude_nor_wait_for_each_other() {
    for model in MODELS {
        assert_complete(&explored(sections::waits_in_its_own_section(), model));
        assert_complete(&explored(sections::waits_for_another_kind(), model));
        assert_complete(&explored(sections::a_wait_while_another_lasts(), model));
        assert_complete(&explored(sections::two_waiters(), model));
        assert_eq!(all(sections::spawned_waiter(), model), set([[1]]));
    }
    assert_eq!(allowed_by(sections::overlapping_kinds, &[1, 0]), []);
}

#[test]
fn whoever_waits_for_what_never_ends_waits_for_ever() {
    for model in MODELS {
        for program in [
            sections::section_spins_for_its_waiter(false),
            sections::looks_and_waits(),
            sections::never_leaves(false),
        ] {
            let found = waiting(&explored(program, model));
            assert!(found.iter().any(|(_, op)| matches!(op, Op::Wait(_))));
        }
        assert_eq!(
            waiting(&explored(sections::waits_within_sections(false), model)).len(),
            2
        );
    }
}
