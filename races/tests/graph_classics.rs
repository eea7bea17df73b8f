//! The classic shapes, with their textbook verdicts, and every mismatch that the self-check ever found.

use gupcheck_core::sync::{
    CellId, FenceOrder, LaneId, LoadOrder, LockId, LockMode, Op, Rmw, RmwOrder, StoreOrder, Until,
};
use gupcheck_races::engine::Model::{self, Rc11, Sc, Tso};
use gupcheck_races::engine::graph::selfcheck::generate::Listing;
use gupcheck_races::engine::graph::selfcheck::{disagreement, explore};

const X: u32 = 0;
const Y: u32 = 1;
const MODELS: [Model; 3] = [Sc, Tso, Rc11];

fn r(cell: u32) -> Op {
    Op::Load {
        cell: CellId(cell),
        order: LoadOrder::Relaxed,
    }
}

fn acquire(cell: u32) -> Op {
    Op::Load {
        cell: CellId(cell),
        order: LoadOrder::Acquire,
    }
}

fn w(cell: u32, value: u64) -> Op {
    Op::Store {
        cell: CellId(cell),
        order: StoreOrder::Relaxed,
        value,
    }
}

fn release(cell: u32, value: u64) -> Op {
    Op::Store {
        cell: CellId(cell),
        order: StoreOrder::Release,
        value,
    }
}

fn update(cell: u32, order: RmwOrder, rmw: Rmw) -> Op {
    Op::Rmw {
        cell: CellId(cell),
        order,
        rmw,
    }
}

const MB: Op = Op::Fence(FenceOrder::SeqCst);

fn listing<const N: usize>(cpus: [&[Op]; N]) -> Listing {
    Listing {
        cpus: (cpus.iter())
            .map(|ops| ops.iter().map(|&op| op.into()).collect())
            .collect(),
    }
}

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

// Each of the following once made the engine and the enumerator disagree.

fn agrees(listing: &Listing) {
    for model in MODELS {
        assert_eq!(disagreement(listing, model), None, "{model}:\n{listing}");
    }
}

#[test]
fn a_store_does_not_part_an_update_from_its_source() {
    let cas = |cell, expected, new| {
        update(
            cell,
            RmwOrder::Relaxed,
            Rmw::CompareExchange { expected, new },
        )
    };
    agrees(&listing([
        &[acquire(X), cas(Y, 1, 2)],
        &[r(Y), release(X, 1)],
        &[cas(X, 0, 2), w(Y, 1)],
    ]));
}

#[test]
fn a_write_that_revisits_is_later_than_the_read_it_serves() {
    agrees(&listing([&[r(X)], &[r(X)], &[w(X, 2)], &[w(X, 1)]]));
}

#[test]
fn the_write_of_a_revisited_update_revisits_too() {
    agrees(&listing([
        &[w(X, 1)],
        &[update(
            X,
            RmwOrder::Full,
            Rmw::CompareExchange {
                expected: 0,
                new: 1,
            },
        )],
        &[update(X, RmwOrder::Acquire, Rmw::Or(2))],
        &[update(X, RmwOrder::AcqRel, Rmw::OrIfClear(1))],
    ]));
}

fn section(lock: u32, mode: LockMode, body: &[Op]) -> Vec<Op> {
    let lock = LockId(lock);
    [
        &[Op::Lock { lock, mode }],
        body,
        &[Op::Unlock { lock, mode }],
    ]
    .concat()
}

const S: LockMode = LockMode::Shared;
const E: LockMode = LockMode::Exclusive;

#[test]
fn an_overtaken_lock_does_not_overtake_back() {
    agrees(&listing([&section(0, E, &[]), &section(0, E, &[])]));
}

#[test]
fn shared_sections_overtake_in_one_order() {
    agrees(&listing([
        &section(1, E, &[MB]),
        &[w(X, 1)]
            .into_iter()
            .chain(section(1, S, &[]))
            .collect::<Vec<_>>(),
        &section(1, S, &[]),
    ]));
}

#[test]
fn all_orders_of_two_shared_and_two_exclusive_sections() {
    let listing = listing([
        &section(0, S, &[]),
        &section(0, E, &[w(X, 1)]),
        &section(0, E, &[]),
        &section(0, S, &[]),
    ]);
    agrees(&listing);
    assert_eq!(explore(&listing, Rc11).executions, 18);
}

#[test]
fn a_revisit_inside_a_section_that_overtook() {
    agrees(&listing([
        &section(0, E, &[w(X, 2)]),
        &[w(X, 1)]
            .into_iter()
            .chain(section(0, S, &[r(X)]))
            .collect::<Vec<_>>(),
        &[w(X, 2)],
    ]));
}

#[test]
fn a_lock_taken_again_counts_as_added_when_it_was() {
    let spin = Op::SpinUntil {
        cell: CellId(Y),
        order: LoadOrder::Relaxed,
        until: Until::Differs(0),
    };
    agrees(&listing([
        &[spin]
            .into_iter()
            .chain(section(0, E, &[]))
            .collect::<Vec<_>>(),
        &section(0, E, &[]),
        &section(0, E, &[r(X)]),
        &section(0, E, &[w(Y, 1)]),
    ]));
}

#[test]
fn spawning_and_joining_drain_store_buffers() {
    agrees(&listing([
        &[w(X, 1), acquire(X)],
        &[r(X), Op::Spawn(LaneId(0)), Op::Join(LaneId(0)), r(X)],
    ]));
    let add = update(X, RmwOrder::Release, Rmw::Add(1));
    agrees(&listing([
        &[add, Op::Spawn(LaneId(1))],
        &[w(Y, 1), acquire(X)],
    ]));
}
