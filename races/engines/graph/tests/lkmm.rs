//! The shapes that the kernel's developers argue with, under LKMM without load buffering. Verdicts are those of
//! `tools/memory-model/litmus-tests` and of herd7, but where load buffering decides.

mod common;

use common::*;
use gupcheck_graph::selfcheck::listing::{Line, Listing, PLAIN};
use gupcheck_graph::selfcheck::{disagreement, explore};
use gupcheck_program::Model::{Lkmm, Rc11};
use gupcheck_program::{Verdict, Violation};
use gupcheck_sync::{
    CellId, Depends, FenceOrder, LoadOrder, LockId, Look, Op, Rmw, RmwOrder, SectionId, SectionSet,
};

const Z: u32 = 2;
const WMB: Op = Op::Fence(FenceOrder::Release);
const RMB: Op = Op::Fence(FenceOrder::Acquire);
const RCU: SectionId = SectionId(0);
const LOCK: Op = Op::Enter(RCU);
const UNLOCK: Op = Op::Leave(RCU);
const GP: Op = Op::Wait(SectionSet::one(RCU));

/// A read that nobody looks at, so that nothing depends on it by control.
fn unseen(cell: u32) -> Op {
    Op::Load {
        cell: CellId(cell),
        order: LoadOrder::Relaxed,
        look: Look::Nothing,
    }
}

/// Whether some execution under LKMM gives these reads, CPU after CPU, and these last values of x, y and z.
fn allows(listing: &Listing, reads: &[i64], last: Option<[u64; 3]>) -> bool {
    assert_eq!(disagreement(listing, Lkmm), None, "{listing}");
    let explored = explore(listing, Lkmm);
    assert!(matches!(explored.verdict, Verdict::Complete));
    explored.outcomes.keys().any(|outcome| {
        let read: Vec<i64> = (outcome.returned.iter())
            .flat_map(|returned| returned.all("r").collect::<Vec<_>>())
            .collect();
        read == reads && last.is_none_or(|last| outcome.observed[..3] == last)
    })
}

#[test]
fn message_passing() {
    assert!(allows(
        &listing([&[w(X, 1), w(Y, 1)], &[r(Y), r(X)]]),
        &[1, 0],
        None
    ));
    assert!(allows(
        &listing([&[w(X, 1), WMB, w(Y, 1)], &[r(Y), r(X)]]),
        &[1, 0],
        None
    ));
    assert!(allows(
        &listing([&[w(X, 1), w(Y, 1)], &[r(Y), RMB, r(X)]]),
        &[1, 0],
        None
    ));
    assert!(!allows(
        &listing([&[w(X, 1), WMB, w(Y, 1)], &[r(Y), RMB, r(X)]]),
        &[1, 0],
        None
    ));
    let ordered = listing([&[w(X, 1), release(Y, 1)], &[acquire(Y), r(X)]]);
    assert!(!allows(&ordered, &[1, 0], None));
}

#[test]
fn store_buffering() {
    assert!(allows(
        &listing([&[w(X, 1), r(Y)], &[w(Y, 1), r(X)]]),
        &[0, 0],
        None
    ));
    assert!(!allows(
        &listing([&[w(X, 1), MB, r(Y)], &[w(Y, 1), MB, r(X)]]),
        &[0, 0],
        None
    ));
    let ordered = listing([&[release(X, 1), acquire(Y)], &[release(Y, 1), acquire(X)]]);
    assert!(allows(&ordered, &[0, 0], None));
    let full = |cell| update(cell, RmwOrder::Full, Rmw::Swap(1));
    assert!(!allows(
        &listing([&[full(X), r(Y)], &[full(Y), r(X)]]),
        &[0, 0, 0, 0],
        None
    ));
    let acquiring = |cell| update(cell, RmwOrder::AcqRel, Rmw::Swap(1));
    assert!(allows(
        &listing([&[acquiring(X), r(Y)], &[acquiring(Y), r(X)]]),
        &[0, 0, 0, 0],
        None
    ));
}

#[test]
fn load_buffering_is_not_explored() {
    // LKMM allows the first of these.
    let free = listing([&[unseen(X), w(Y, 1)], &[unseen(Y), w(X, 1)]]);
    assert_eq!(disagreement(&free, Lkmm), None);
    let looked = listing([&[r(X), w(Y, 1)], &[r(Y), w(X, 1)]]);
    assert!(!allows(&looked, &[1, 1], None));
}

#[test]
fn a_read_that_is_looked_at_decides_about_later_writes() {
    // S
    let s = |barrier| listing([&[w(X, 2), WMB, w(Y, 1)], &[r(Y), barrier, w(X, 1)]]);
    for barrier in [MB, RMB, WMB] {
        assert!(!allows(&s(barrier), &[1], Some([2, 1, 0])));
    }
    let unordered = listing([&[w(X, 2), w(Y, 1)], &[r(Y), w(X, 1)]]);
    assert!(allows(&unordered, &[1], Some([2, 1, 0])));
}

#[test]
fn a_write_barrier_orders_no_write_of_another_cpu() {
    // R
    let r = |one, other| listing([&[w(X, 1), one, w(Y, 1)], &[w(Y, 2), other, r(X)]]);
    let last = Some([1, 2, 0]);
    assert!(allows(&r(WMB, MB), &[0], last));
    assert!(allows(&r(MB, WMB), &[0], last));
    assert!(!allows(&r(MB, MB), &[0], last));
}

#[test]
fn two_writers_each() {
    let shape = |barrier| listing([&[w(X, 1), barrier, w(Y, 2)], &[w(Y, 1), barrier, w(X, 2)]]);
    let last = Some([1, 1, 0]);
    // Coherence between CPUs takes no time by itself.
    assert!(allows(&shape(WMB), &[], last));
    assert!(!allows(&shape(MB), &[], last));
}

#[test]
fn independent_readers() {
    let shape = |barrier| {
        listing([
            &[w(X, 1)],
            &[w(Y, 1)],
            &[r(X), barrier, r(Y)],
            &[r(Y), barrier, r(X)],
        ])
    };
    assert!(allows(&shape(RMB), &[1, 0, 1, 0], None));
    assert!(!allows(&shape(MB), &[1, 0, 1, 0], None));
}

#[test]
fn a_release_is_cumulative() {
    // WRC: what the second CPU has read spreads before its release, though it has acquired nothing.
    let wrc = listing([&[w(X, 1)], &[r(X), release(Y, 1)], &[acquire(Y), r(X)]]);
    assert!(!allows(&wrc, &[1, 1, 0], None));
    let wmb = listing([&[w(X, 1)], &[r(X), WMB, w(Y, 1)], &[acquire(Y), r(X)]]);
    assert!(allows(&wmb, &[1, 1, 0], None));
    // ISA2, with a release that passes on what was only read. RC11 allows it.
    let isa2 = listing([
        &[w(X, 1), WMB, w(Y, 1)],
        &[r(Y), release(Z, 1)],
        &[acquire(Z), r(X)],
    ]);
    assert!(!allows(&isa2, &[1, 1, 0], None));
    assert!(explore(&isa2, Rc11).outcomes.keys().any(|outcome| {
        let read = |cpu: usize| outcome.returned[cpu].all("r").collect::<Vec<_>>();
        read(1) == [1] && read(2) == [1, 0]
    }));
}

#[test]
fn a_lock_that_is_handed_on_orders_for_a_third_cpu() {
    let lock = LockId(0);
    let (take, drop) = (Op::Lock { lock, mode: E }, Op::Unlock { lock, mode: E });
    let first = [take, w(X, 1), drop, take, w(Y, 1), drop];
    let by_one = listing([&first, &[r(Y), RMB, r(X)]]);
    assert!(!allows(&by_one, &[1, 0], None));
    let by_two = listing([
        &[take, w(X, 1), drop],
        &[take, r(X), w(Y, 1), drop],
        &[r(Y), RMB, r(X)],
    ]);
    assert!(!allows(&by_two, &[1, 1, 0], None));
}

#[test]
fn what_may_be_read_is_no_upper_part_of_coherence_order() {
    // The last read may be early, or late, and nothing between.
    let shape = listing([
        &[w(X, 2), WMB, w(Y, 1)],
        &[r(Y), w(Z, 1), r(X)],
        &[r(Z), w(X, 1)],
    ]);
    let last = Some([2, 1, 1]);
    assert!(allows(&shape, &[1, 0, 1], last));
    assert!(allows(&shape, &[1, 2, 1], last));
    assert!(!allows(&shape, &[1, 1, 1], last));
}

#[test]
fn a_grace_period_orders_a_section() {
    let mp = listing([&[w(X, 1), GP, w(Y, 1)], &[LOCK, r(Y), r(X), UNLOCK]]);
    assert!(!allows(&mp, &[1, 0], None));
    let out = listing([&[w(X, 1), GP, w(Y, 1)], &[r(Y), r(X)]]);
    assert!(allows(&out, &[1, 0], None));
    let sb = listing([&[w(X, 1), GP, r(Y)], &[LOCK, w(Y, 1), r(X), UNLOCK]]);
    assert!(!allows(&sb, &[0, 0], None));
    // As many waits as sections forbid a cycle, fewer do not.
    let two = listing([
        &[w(X, 1), GP, r(Y)],
        &[LOCK, w(Y, 1), r(Z), UNLOCK],
        &[LOCK, w(Z, 1), r(X), UNLOCK],
    ]);
    assert!(allows(&two, &[0, 0, 0], None));
    let both = listing([
        &[w(X, 1), GP, r(Y)],
        &[w(Y, 1), GP, r(Z)],
        &[LOCK, w(Z, 1), r(X), UNLOCK],
    ]);
    assert!(!allows(&both, &[0, 0, 0], None));
}

#[test]
fn a_void_update_is_no_read_to_a_read_barrier() {
    let add = |look| Op::Rmw {
        cell: CellId(Y),
        order: RmwOrder::Relaxed,
        rmw: Rmw::Add(1),
        look,
    };
    let shape = |look| listing([&[w(X, 1), WMB, w(Y, 1)], &[add(look), RMB, r(X)]]);
    // That it came second shows in y.
    let last = Some([1, 2, 0]);
    assert!(!allows(&shape(Look::Value), &[1, 0], last));
    assert!(allows(&shape(Look::Nothing), &[0, 0], last));
}

/// Whether some execution has a data race: under LKMM and, behind that, under RC11.
fn races(listing: &Listing) -> (bool, bool) {
    let one = |model| {
        assert_eq!(disagreement(listing, model), None, "{listing}");
        match explore(listing, model).verdict {
            Verdict::Complete => false,
            Verdict::Failed(found) => {
                assert!(matches!(found.violation, Violation::DataRace { .. }));
                true
            }
            other => panic!("{other:?}"),
        }
    };
    (one(Lkmm), one(Rc11))
}

/// One CPU does something plain, and says so; another one sees that, and does `then`.
fn told(before: &[Op], sees: Op, behind: &[Op], then: Op) -> Listing {
    let mut listing = listing([before, &[sees]]);
    listing.cpus[1].extend(behind.iter().map(|&op| Line::from(op)));
    listing.cpus[1].push(Line {
        only_if: Some(1),
        ..then.into()
    });
    listing
}

#[test]
fn barriers_order_plain_accesses_of_their_kind() {
    const CELL: CellId = CellId(PLAIN);
    let (read, write) = (
        Op::Read { cell: CELL },
        Op::Write {
            cell: CELL,
            value: 1,
        },
    );
    // What is written before `smp_wmb`, is read behind `smp_rmb`.
    let message = told(&[write, WMB, w(Y, 1)], r(Y), &[RMB], read);
    assert_eq!(races(&message), (false, false));
    let bare = told(&[write, WMB, w(Y, 1)], r(Y), &[], read);
    assert_eq!(races(&bare), (true, true));
    // `smp_wmb` is no barrier for the read before it, nor `smp_rmb` for the write behind it. C11's fences are.
    let after_read = told(&[read, WMB, w(Y, 1)], r(Y), &[MB], write);
    assert_eq!(races(&after_read), (true, false));
    let released = told(&[read, release(Y, 1)], r(Y), &[MB], write);
    assert_eq!(races(&released), (false, false));
    let into_write = told(&[write, MB, w(Y, 1)], r(Y), &[RMB], write);
    assert_eq!(races(&into_write), (true, false));
    let acquired = told(&[write, MB, w(Y, 1)], acquire(Y), &[], write);
    assert_eq!(races(&acquired), (false, false));
}

#[test]
fn an_address_bounds_a_plain_access_and_a_branch_does_not() {
    let cell = CellId(PLAIN);
    let said = |address, control| {
        let on = Depends {
            address,
            data: 0,
            control,
        };
        let write = Op::Write { cell, value: 1 };
        let mut message = told(&[write, WMB, w(Y, 1)], r(Y), &[], Op::Read { cell });
        message.cpus[1][1].depends = Some(on);
        races(&message).0
    };
    assert!(!said(1, 0));
    assert!(said(0, 1));
}
