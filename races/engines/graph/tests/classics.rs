//! The classic shapes, with their textbook verdicts.

mod common;

use common::*;
use gupcheck_graph::selfcheck::listing::Listing;
use gupcheck_graph::selfcheck::{disagreement, explore};
use gupcheck_program::Model::{self, Rc11, Tso};
use gupcheck_sync::{FenceOrder, Op, Rmw, RmwOrder};

/// Whether some execution gives these reads, CPU after CPU, and these last values of x and y.
fn allows(listing: &Listing, model: Model, reads: &[i64], last: Option<(u64, u64)>) -> bool {
    assert_eq!(disagreement(listing, model), None, "{model}");
    explore(listing, model).outcomes.keys().any(|outcome| {
        let read: Vec<i64> = (outcome.returned.iter())
            .flat_map(|returned| returned.all("r").collect::<Vec<_>>())
            .collect();
        read == reads && last.is_none_or(|(x, y)| outcome.observed[..2] == [x, y])
    })
}

/// The models, of SC, TSO and RC11, that allow an outcome.
fn allowed_by(listing: &Listing, reads: &[i64], last: Option<(u64, u64)>) -> Vec<Model> {
    (MODELS.into_iter())
        .filter(|&model| allows(listing, model, reads, last))
        .collect()
}

#[test]
fn store_buffering() {
    let plain = listing([&[w(X, 1), r(Y)], &[w(Y, 1), r(X)]]);
    assert_eq!(allowed_by(&plain, &[0, 0], None), [Tso, Rc11]);
    let fenced = listing([&[w(X, 1), MB, r(Y)], &[w(Y, 1), MB, r(X)]]);
    assert_eq!(allowed_by(&fenced, &[0, 0], None), []);
    let half = listing([&[w(X, 1), MB, r(Y)], &[w(Y, 1), r(X)]]);
    assert_eq!(allowed_by(&half, &[0, 0], None), [Tso, Rc11]);
    let ordered = listing([&[release(X, 1), acquire(Y)], &[release(Y, 1), acquire(X)]]);
    assert_eq!(allowed_by(&ordered, &[0, 0], None), [Tso, Rc11]);
}

#[test]
fn store_buffering_with_exchanges() {
    let relaxed = |cell| update(cell, RmwOrder::Relaxed, Rmw::Swap(1));
    let plain = listing([&[relaxed(X), r(Y)], &[relaxed(Y), r(X)]]);
    assert_eq!(allowed_by(&plain, &[0, 0, 0, 0], None), [Rc11]);
    let full = |cell| update(cell, RmwOrder::Full, Rmw::Swap(1));
    let ordered = listing([&[full(X), r(Y)], &[full(Y), r(X)]]);
    assert_eq!(allowed_by(&ordered, &[0, 0, 0, 0], None), []);
}

#[test]
fn message_passing() {
    let plain = listing([&[w(X, 1), w(Y, 1)], &[r(Y), r(X)]]);
    assert_eq!(allowed_by(&plain, &[1, 0], None), [Rc11]);
    let ordered = listing([&[w(X, 1), release(Y, 1)], &[acquire(Y), r(X)]]);
    assert_eq!(allowed_by(&ordered, &[1, 0], None), []);
    let fences = listing([
        &[w(X, 1), Op::Fence(FenceOrder::Release), w(Y, 1)],
        &[r(Y), Op::Fence(FenceOrder::Acquire), r(X)],
    ]);
    assert_eq!(allowed_by(&fences, &[1, 0], None), []);
    let one_sided = listing([&[w(X, 1), release(Y, 1)], &[r(Y), r(X)]]);
    assert_eq!(allowed_by(&one_sided, &[1, 0], None), [Rc11]);
}

#[test]
fn message_passing_through_a_chain_of_updates() {
    let add = update(Y, RmwOrder::Relaxed, Rmw::Add(1));
    let chain = listing([&[w(X, 1), release(Y, 1)], &[add], &[acquire(Y), r(X)]]);
    assert_eq!(allowed_by(&chain, &[1, 2, 0], None), []);
    // A later store of the same CPU is not in the release sequence.
    let store = listing([&[w(X, 1), release(Y, 1), w(Y, 2)], &[acquire(Y), r(X)]]);
    assert_eq!(allowed_by(&store, &[2, 0], None), [Rc11]);
}

#[test]
fn load_buffering_is_forbidden() {
    let plain = listing([&[r(X), w(Y, 1)], &[r(Y), w(X, 1)]]);
    assert_eq!(allowed_by(&plain, &[1, 1], None), []);
}

#[test]
fn independent_reads_of_independent_writes() {
    let with = |order: &dyn Fn(u32) -> Op, between: &[Op]| {
        let reader = |a, b| [&[order(a)], between, &[order(b)]].concat();
        listing([&[w(X, 1)], &[w(Y, 1)], &reader(X, Y), &reader(Y, X)])
    };
    assert_eq!(allowed_by(&with(&r, &[]), &[1, 0, 1, 0], None), [Rc11]);
    assert_eq!(
        allowed_by(&with(&acquire, &[]), &[1, 0, 1, 0], None),
        [Rc11]
    );
    assert_eq!(allowed_by(&with(&r, &[MB]), &[1, 0, 1, 0], None), []);
}

#[test]
fn two_plus_two_writes() {
    let plain = listing([&[w(X, 1), w(Y, 2)], &[w(Y, 1), w(X, 2)]]);
    assert_eq!(allowed_by(&plain, &[], Some((1, 1))), [Rc11]);
    let fenced = listing([&[w(X, 1), MB, w(Y, 2)], &[w(Y, 1), MB, w(X, 2)]]);
    assert_eq!(allowed_by(&fenced, &[], Some((1, 1))), []);
}

#[test]
fn write_to_read_causality() {
    let plain = listing([&[w(X, 1)], &[r(X), w(Y, 1)], &[r(Y), r(X)]]);
    assert_eq!(allowed_by(&plain, &[1, 1, 0], None), [Rc11]);
    let ordered = listing([
        &[w(X, 1)],
        &[acquire(X), release(Y, 1)],
        &[acquire(Y), r(X)],
    ]);
    assert_eq!(allowed_by(&ordered, &[1, 1, 0], None), []);
}

#[test]
fn isa2() {
    const Z: u32 = 2;
    let with = |w: &dyn Fn(u32, u64) -> Op, r: &dyn Fn(u32) -> Op| {
        listing([
            &[self::w(X, 1), w(Y, 1)],
            &[r(Y), w(Z, 1)],
            &[r(Z), self::r(X)],
        ])
    };
    assert_eq!(allowed_by(&with(&w, &r), &[1, 1, 0], None), [Rc11]);
    assert_eq!(allowed_by(&with(&release, &acquire), &[1, 1, 0], None), []);
}

#[test]
fn r_and_s() {
    let r_shape = listing([&[w(X, 1), w(Y, 1)], &[w(Y, 2), r(X)]]);
    assert_eq!(allowed_by(&r_shape, &[0], Some((1, 2))), [Tso, Rc11]);
    let r_fenced = listing([&[w(X, 1), MB, w(Y, 1)], &[w(Y, 2), MB, r(X)]]);
    assert_eq!(allowed_by(&r_fenced, &[0], Some((1, 2))), []);
    let s_shape = listing([&[w(X, 2), w(Y, 1)], &[r(Y), w(X, 1)]]);
    assert_eq!(allowed_by(&s_shape, &[1], Some((2, 1))), [Rc11]);
    let s_ordered = listing([&[w(X, 2), release(Y, 1)], &[acquire(Y), w(X, 1)]]);
    assert_eq!(allowed_by(&s_ordered, &[1], Some((2, 1))), []);
}

#[test]
fn coherence() {
    let read_read = listing([&[w(X, 1)], &[r(X), r(X)]]);
    assert_eq!(allowed_by(&read_read, &[1, 0], None), []);
    let write_read = listing([&[w(X, 1), r(X)], &[w(X, 2)]]);
    assert_eq!(allowed_by(&write_read, &[2], Some((1, 0))), []);
    let read_write = listing([&[r(X), w(X, 1)], &[w(X, 2)]]);
    assert_eq!(allowed_by(&read_write, &[2], Some((2, 0))), []);
}

#[test]
fn a_refused_update_orders_nothing() {
    let refused = update(2, RmwOrder::Full, Rmw::AddUnless { add: 1, unless: 0 });
    let shape = listing([&[w(X, 1), refused, r(Y)], &[w(Y, 1), MB, r(X)]]);
    assert_eq!(allowed_by(&shape, &[0, 0, 0], None), [Tso, Rc11]);
}
