//! Shorthands for listings, and what engine and enumerator must agree on.

#![allow(dead_code, reason = "each test crate uses its own part")]

use gupcheck_graph::selfcheck::disagreement;
use gupcheck_graph::selfcheck::listing::Listing;
use gupcheck_program::Model::{self, Rc11, Sc, Tso};
use gupcheck_sync::{
    CellId, FenceOrder, LoadOrder, LockId, LockMode, Look, Op, Rmw, RmwOrder, StoreOrder, Until,
};

pub(crate) const X: u32 = 0;
pub(crate) const Y: u32 = 1;
pub(crate) const MODELS: [Model; 3] = [Sc, Tso, Rc11];

pub(crate) fn r(cell: u32) -> Op {
    Op::Load {
        cell: CellId(cell),
        order: LoadOrder::Relaxed,
        look: Look::Value,
    }
}

pub(crate) fn acquire(cell: u32) -> Op {
    Op::Load {
        cell: CellId(cell),
        order: LoadOrder::Acquire,
        look: Look::Value,
    }
}

pub(crate) fn w(cell: u32, value: u64) -> Op {
    Op::Store {
        cell: CellId(cell),
        order: StoreOrder::Relaxed,
        value,
    }
}

pub(crate) fn release(cell: u32, value: u64) -> Op {
    Op::Store {
        cell: CellId(cell),
        order: StoreOrder::Release,
        value,
    }
}

pub(crate) fn update(cell: u32, order: RmwOrder, rmw: Rmw) -> Op {
    Op::Rmw {
        cell: CellId(cell),
        order,
        rmw,
        look: Look::Value,
    }
}

pub(crate) const MB: Op = Op::Fence(FenceOrder::SeqCst);

pub(crate) fn listing<const N: usize>(cpus: [&[Op]; N]) -> Listing {
    Listing {
        cpus: (cpus.iter())
            .map(|ops| ops.iter().map(|&op| op.into()).collect())
            .collect(),
    }
}

pub(crate) fn spin(cell: u32, until: Until) -> Op {
    Op::SpinUntil {
        cell: CellId(cell),
        order: LoadOrder::Relaxed,
        until,
        look: Look::Value,
    }
}

pub(crate) fn section(lock: u32, mode: LockMode, body: &[Op]) -> Vec<Op> {
    let lock = LockId(lock);
    [
        &[Op::Lock { lock, mode }],
        body,
        &[Op::Unlock { lock, mode }],
    ]
    .concat()
}

pub(crate) const S: LockMode = LockMode::Shared;
pub(crate) const E: LockMode = LockMode::Exclusive;

pub(crate) fn agrees(listing: &Listing) {
    for model in MODELS {
        assert_eq!(disagreement(listing, model), None, "{model}:\n{listing}");
    }
}
