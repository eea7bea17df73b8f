//! Dominated reads: programs on which a weaker rule, or a search that takes no notice of it, goes wrong.

mod common;

use common::*;
use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::enumerate::enumerate;
use gupcheck_graph::selfcheck::explore_by;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_graph::selfcheck::listing::Listing;
use gupcheck_program::{Model, Reductions};
use gupcheck_sync::{CellId, LoadOrder, Look, Op};

fn look(cell: u32, order: LoadOrder, look: Look) -> Op {
    let cell = CellId(cell);
    Op::Load { cell, order, look }
}

fn executions(listing: &Listing, model: Model, dominated: bool) -> u64 {
    let engine = GraphEngine {
        reductions: Reductions {
            dominated,
            ..Reductions::NONE
        },
        ..GraphEngine::ONE_THREAD
    };
    explore_by(engine, listing, model).executions
}

#[test]
fn nobody_looks_at_what_a_load_reads() {
    let looks_away = look(X, LoadOrder::Acquire, Look::Nothing);
    let program = listing([&[w(X, 1), w(X, 2)], &[looks_away]]);
    agrees(&program);
    assert_eq!(executions(&program, Model::Rc11, false), 3);
    assert_eq!(executions(&program, Model::Rc11, true), 1);
    // There a read is always ordered before the writes that it does not see.
    for model in [Model::Sc, Model::Tso] {
        assert_eq!(executions(&program, model, true), 3);
    }
}

/// Store buffering: that the second CPU does not see the first one's store says that the second fence is the earlier one,
/// so the first CPU's load must have come late.
#[test]
fn a_load_after_a_fence_reads_what_orders_fences() {
    let looks_away = look(Y, LoadOrder::Relaxed, Look::Nothing);
    let program = listing([&[w(X, 1), MB, looks_away], &[w(Y, 1), MB, r(X)]]);
    agrees(&program);
    let all = executions(&program, Model::Rc11, false);
    assert_eq!(executions(&program, Model::Rc11, true), all);
}

/// The second load after the fence may, as the first one has ordered the fences already.
#[test]
fn only_the_first_load_after_a_fence_orders_fences() {
    let looks_away = look(Y, LoadOrder::Relaxed, Look::Nothing);
    let once = listing([&[w(X, 1), MB, looks_away], &[w(Y, 1), MB, r(X)]]);
    let twice = listing([&[w(X, 1), MB, looks_away, looks_away], &[w(Y, 1), MB, r(X)]]);
    agrees(&twice);
    let [once, twice] = [once, twice].map(|program| executions(&program, Model::Rc11, true));
    assert_eq!(once, twice);
}

/// The acquiring load may read the later store, which carries no message.
#[test]
fn a_load_does_not_acquire_what_it_need_not() {
    let looks_away = look(Y, LoadOrder::Acquire, Look::Nothing);
    agrees(&listing([
        &[w(X, 1), release(Y, 1)],
        &[w(Y, 2)],
        &[r(Y), looks_away, r(X)],
    ]));
}

/// The load first reads the value 0 from the floor, though a later write is there: 2 is not 1, either. The store of 1 comes
/// by a revisit, which must not take the load for one that should have read the 2.
#[test]
fn a_load_at_its_floor_may_be_as_late_as_can_be() {
    let is_one = look(Y, LoadOrder::Acquire, Look::Is(1));
    agrees(&listing([&[is_one], &[r(X), release(Y, 2), release(Y, 1)]]));
}

/// So that the comparison with brute force compares something.
#[test]
fn many_programs_have_dominated_reads() {
    let programs = (1..=500).map(|seed| program(Family::Looks, seed));
    let fewer = programs.filter(|listing| {
        let found = enumerate(listing, Model::Rc11).expect("small");
        found.undominated.0 < found.graphs
    });
    let fewer = fewer.count();
    assert!(fewer > 30, "{fewer}");
}
