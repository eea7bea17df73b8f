//! The loom engine: what code looks at, and the heads of dependencies.

mod common;

use std::collections::BTreeSet;

use common::explored;
use gupcheck_program::{Program, Violation};
use gupcheck_trials::dependencies::{self, Link};
use gupcheck_trials::*;

fn all(program: Program) -> BTreeSet<Vec<i64>> {
    let found = explored(program);
    assert_complete(&found);
    results(&found)
}

#[test]
fn every_question_is_answered_and_the_trace_keeps_the_value() {
    assert_eq!(all(looks::every_question()), set([[0]]));
    let mut program = looks::every_question();
    program.always("never", |_| false);
    let found = explored(program);
    assert_eq!(looks::reads_of(&broken(&found).trace), looks::values_read());
}

#[test]
fn a_dependency_orders_where_the_value_leads_somewhere() {
    let ordered = [[0, 0], [0, 1], [1, 1]];
    let loose = [[0, 0], [0, 1], [1, 0], [1, 1]];
    let by = |link, order| all(dependencies::message(link, order));
    assert_eq!(by(Link::OBJECT, Dependency), set(ordered));
    assert_eq!(by(Link::OBJECT, Loose), set(loose));
    let flagged = |of: &[[i64; 2]]| of.iter().map(|&[f, r]| vec![2 * f, r]).collect();
    assert_eq!(by(Link::FLAG, Dependency), flagged(&loose));
    assert_eq!(by(Link::FLAG, Acquire), flagged(&ordered));
}

#[test]
fn so_it_does_where_it_is_waited_for() {
    let by = |link, order| all(dependencies::spun_message(link, order));
    assert_eq!(by(Link::OBJECT, Dependency), set([[1, 1]]));
    assert_eq!(by(Link::OBJECT, Loose), set([[1, 0], [1, 1]]));
    assert_eq!(by(Link::FLAG, Dependency), set([[2, 0], [2, 1]]));
    assert_eq!(by(Link::FLAG, Acquire), set([[2, 1]]));
}

#[test]
fn what_is_reached_by_a_dependency_is_no_race() {
    let found = all(dependencies::plain_message(Link::OBJECT, Dependency));
    assert_eq!(found, set([[0, 0], [1, 1]]));
    for (link, order) in [(Link::OBJECT, Loose), (Link::FLAG, Dependency)] {
        let found = explored(dependencies::plain_message(link, order));
        assert!(matches!(
            broken(&found).violation,
            Violation::DataRace { .. }
        ));
    }
}

/// Stronger than the promise: the acquire fence that stands for a dependency orders earlier loads, too.
#[test]
fn a_dependency_orders_earlier_loads_too() {
    let found = all(dependencies::an_earlier_load());
    assert_eq!(found, set([[0, 0], [0, 1], [1, 1]]));
}
