//! Every mismatch that the self-check ever found, as a small program of its own: each once made the engine
//! and the enumerator disagree.

mod common;

use common::*;
use gupcheck_graph::selfcheck::compare;
use gupcheck_graph::selfcheck::explore;
use gupcheck_graph::selfcheck::generate::Family;
use gupcheck_program::Model::{self, Rc11};
use gupcheck_sync::{LaneId, Op, Rmw, RmwOrder, Until};

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
    let spin = spin(Y, Until::Differs(0));
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

#[test]
fn shared_sections_that_overtook_may_be_deleted_with_what_they_let_in() {
    agrees(&listing([
        &section(0, E, &[MB]),
        &[&[acquire(X)][..], &section(0, S, &[r(X)])].concat(),
        &section(0, S, &[w(X, 1)]),
        &section(0, S, &[]),
    ]));
    agrees(&listing([
        &section(0, E, &[]),
        &[&[r(Y)][..], &section(0, S, &[w(Y, 1)])].concat(),
        &[&[r(Y)][..], &section(0, E, &[])].concat(),
        &section(0, S, &[w(Y, 2)]),
    ]));
}

#[test]
fn a_section_that_let_in_another_may_end_again() {
    agrees(&listing([
        &[MB],
        &section(0, S, &[]),
        &section(0, E, &[acquire(Y)]),
        &[release(Y, 1)],
    ]));
    let spawned = Op::Spawn(LaneId(0));
    agrees(&listing([
        &section(0, E, &[]),
        &[
            &[w(X, 1)][..],
            &section(0, E, &[spin(X, Until::Differs(0))]),
        ]
        .concat(),
        &[&section(0, S, &[spawned])[..], &[Op::Join(LaneId(0)), r(X)]].concat(),
    ]));
}

#[test]
fn a_lock_that_is_waited_for_in_vain_is_overtaken() {
    agrees(&listing([
        &[&[spin(X, Until::Differs(0))][..], &section(0, E, &[])].concat(),
        &section(0, E, &[spin(X, Until::Differs(0))]),
        &[spin(X, Until::AllClear(1))],
        &[&section(0, E, &[])[..], &[release(X, 2)]].concat(),
    ]));
}

#[test]
fn an_upgrade_waits_for_itself() {
    let upgrade = section(0, S, &section(0, E, &[]));
    agrees(&listing([&[r(X)], &upgrade]));
}

#[test]
fn a_wait_for_what_was_overwritten_holds_nobody_to_it() {
    agrees(&listing([
        &[
            &[w(Y, 1), w(X, 1)][..],
            &section(0, S, &[spin(Y, Until::Equals(2))]),
        ]
        .concat(),
        &[
            &[acquire(Y), release(Y, 2)][..],
            &section(0, S, &[spin(X, Until::Differs(0))]),
        ]
        .concat(),
        &[
            &[release(Y, 2), release(Y, 1), release(X, 2)][..],
            &section(0, E, &[release(X, 1)]),
        ]
        .concat(),
    ]));
}

#[test]
fn reading_from_a_full_update_does_not_wait_for_its_last_fence() {
    let or = |cell| update(cell, RmwOrder::Full, Rmw::Or(1));
    agrees(&listing([
        &[acquire(Y), r(X)],
        &[release(X, 2), or(Y)],
        &[or(X), acquire(Y)],
    ]));
    let swap = Rmw::CompareExchange {
        expected: 0,
        new: 2,
    };
    agrees(&listing([
        &[spin(X, Until::AllClear(1)), update(Y, RmwOrder::Full, swap)],
        &[update(Y, RmwOrder::Acquire, Rmw::Add(1)), acquire(X)],
        &[r(Y)],
        &[
            update(X, RmwOrder::Full, Rmw::Xor(2)),
            spin(Y, Until::AllClear(1)),
        ],
    ]));
}

/// Who acquires what a full update's last fence releases comes after that fence, not only after the update.
#[test]
fn the_last_fence_of_a_full_update_releases_what_comes_later() {
    agrees(&listing([
        &[acquire(X), w(Y, 2)],
        &[update(X, RmwOrder::Full, Rmw::Or(2)), w(X, 4)],
        &[update(Y, RmwOrder::Full, Rmw::Add(1)), r(X)],
    ]));
    let report = compare(Family::Waits, 83_539, 1, Rc11);
    assert!(report.mismatches.is_empty(), "{}", report.mismatches[0]);
}

#[test]
fn joining_waits_for_the_last_fence() {
    let or = |cell| update(cell, RmwOrder::Full, Rmw::Or(1));
    agrees(&listing([
        &[Op::Spawn(LaneId(2)), Op::Join(LaneId(2)), r(Y)],
        &[or(Y), r(X)],
        &[or(X)],
    ]));
}

/// A deadlock is told while a CPU is in the middle of a wait, and another piece of the search comes next: the CPU was
/// told to go on where it had not been answered.
#[test]
fn a_wait_under_way_is_no_answer() {
    for model in [Model::Sc, Model::Tso, Rc11] {
        let report = compare(Family::Sections, 2759, 1, model);
        assert!(report.mismatches.is_empty(), "{}", report.mismatches[0]);
    }
}
