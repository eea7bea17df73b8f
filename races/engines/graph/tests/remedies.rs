//! Which ordering was missing: in the shapes that the kernel's developers argue with, each without one of its barriers, the one that is
//! told of is that one, or a weaker one at the same place.

mod common;

use std::sync::Arc;

use common::*;
use gupcheck_graph::selfcheck::listing::Listing;
use gupcheck_graph::{GraphEngine, remedies};
use gupcheck_program::{
    Barrier, Counterexample, Model, Program, Remedies, Remedy, Search, Verdict, explore,
};
use gupcheck_sync::{CellId, Event, FenceOrder, LaneId, Op, Source, What};

const Z: u32 = 2;
const WMB: Op = Op::Fence(FenceOrder::Release);
const RMB: Op = Op::Fence(FenceOrder::Acquire);

/// An end: what the CPUs read, one after the other, and the last values of x, y and z.
type End = (&'static [i64], [u64; 3]);

fn found(cpus: &[&[Op]], end: End, model: Model) -> (Arc<Program>, Option<Box<Counterexample>>) {
    let listing = Listing {
        cpus: (cpus.iter())
            .map(|ops| ops.iter().map(|&op| op.into()).collect())
            .collect(),
    };
    let mut program = listing.to_program();
    let lanes = cpus.len() as u8;
    program.always("not this end", move |at| {
        let read =
            (0..lanes).flat_map(|lane| at.returned(LaneId(lane)).all("r").collect::<Vec<_>>());
        let read: Vec<i64> = read.collect();
        let last = [X, Y, Z].map(|cell| at.word(CellId(cell)));
        (&read[..], last) != end
    });
    let program = Arc::new(program);
    let search = Search::unlimited(model);
    let verdict = explore(&GraphEngine::ONE_THREAD, &program, &search).verdict;
    let found = match verdict {
        Verdict::Complete => None,
        Verdict::Failed(found) => Some(found),
        other => panic!("{other:?}"),
    };
    (program, found)
}

/// A barrier, whose, and between the how many-th of its operations (fences not counted).
type Told = (Barrier, u8, usize, usize);

/// The how many-th operation of its CPU a step is, fences not counted.
fn nth(trace: &[Event], step: usize) -> usize {
    let of_cpu = |event: &&Event| event.lane == trace[step].lane;
    let counts = |event: &&Event| match event.what {
        What::Op { op, .. } => !matches!(op, Op::Fence(_)),
        _ => false,
    };
    trace[..step].iter().filter(of_cpu).filter(counts).count()
}

fn told(counterexample: &Counterexample, remedy: &Remedy) -> Vec<Told> {
    let trace = &counterexample.trace;
    (remedy.places.iter())
        .map(|place| {
            (
                place.barrier,
                place.lane.0,
                nth(trace, place.after),
                nth(trace, place.before),
            )
        })
        .collect()
}

/// What forbids this end of a listing, which is possible.
fn missing(cpus: &[&[Op]], end: End, model: Model) -> (Box<Counterexample>, Remedies) {
    let (program, found) = found(cpus, end, model);
    let found = found.expect("it is possible");
    let remedies = remedies(&program, model, &found).expect("it can be said");
    (found, remedies.weakest())
}

/// All that are told of. Under LKMM each has a cycle that goes round, through the barrier.
fn all(cpus: &[&[Op]], end: End, model: Model) -> Vec<Vec<Told>> {
    let (found, remedies) = missing(cpus, end, model);
    let Remedies::Any(any) = remedies else {
        panic!("{remedies:?}");
    };
    for remedy in any.iter().filter(|_| model == Model::Lkmm) {
        check_cycle(&found, remedy);
    }
    any.iter().map(|remedy| told(&found, remedy)).collect()
}

/// Each edge begins where the one before ends, and what it says is so as far as a trace shows it.
fn check_cycle(found: &Counterexample, remedy: &Remedy) {
    let cycle = &remedy.cycle;
    assert!(cycle.len() > 1, "{remedy:?}");
    for (link, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
        assert_eq!(link.to, next.from, "{cycle:?}");
        let (from, to) = (&found.trace[link.from], &found.trace[link.to]);
        let is_own = from.lane == to.lane;
        match link.by {
            "rfe" => {
                let What::Op { from: source, .. } = to.what else {
                    panic!("{to:?}")
                };
                assert_eq!(source, Some(Source::Event(link.from)));
                assert!(!is_own);
            }
            "fre" | "coe" => assert!(!is_own),
            _ => assert!(is_own && link.from < link.to, "{link:?}"),
        }
    }
    for place in &remedy.places {
        let is_across = |link: &gupcheck_program::Link| {
            found.trace[link.from].lane == place.lane
                && link.from <= place.after
                && link.to >= place.before
        };
        assert!(cycle.iter().any(is_across), "{remedy:?}");
    }
}

/// Without each of these operations the end is possible, and what is told of first is one of these, alone.
fn each(cpus: &[&[Op]], end: End, knocked_out: &[((usize, usize), &[Told])]) {
    assert!(found(cpus, end, Model::Lkmm).1.is_none(), "it is forbidden");
    for &((cpu, line), expected) in knocked_out {
        let mut without: Vec<Vec<Op>> = cpus.iter().map(|ops| ops.to_vec()).collect();
        let was = without[cpu].remove(line);
        let without: Vec<&[Op]> = without.iter().map(|ops| &ops[..]).collect();
        let told = all(&without, end, Model::Lkmm);
        let expected: Vec<Vec<Told>> = expected.iter().map(|&one| vec![one]).collect();
        assert_eq!(told, expected, "without {was:?}");
    }
}

#[test]
fn message_passing() {
    let mp: [&[Op]; 2] = [&[w(X, 1), WMB, w(Y, 1)], &[r(Y), RMB, r(X)]];
    let writer = [(Barrier::Release, 0, 0, 1), (Barrier::Write, 0, 0, 1)];
    let reader = [(Barrier::Acquire, 1, 0, 1), (Barrier::Read, 1, 0, 1)];
    each(
        &mp,
        (&[1, 0], [1, 1, 0]),
        &[((0, 1), &writer), ((1, 1), &reader)],
    );
}

#[test]
fn message_passing_without_both() {
    let mp: [&[Op]; 2] = [&[w(X, 1), w(Y, 1)], &[r(Y), r(X)]];
    let both = vec![(Barrier::Release, 0, 0, 1), (Barrier::Acquire, 1, 0, 1)];
    for model in [Model::Lkmm, Model::Rc11] {
        assert_eq!(
            all(&mp, (&[1, 0], [1, 1, 0]), model),
            std::slice::from_ref(&both),
            "{model}"
        );
    }
}

#[test]
fn store_buffering() {
    let sb: [&[Op]; 2] = [&[w(X, 1), MB, r(Y)], &[w(Y, 1), MB, r(X)]];
    let end: End = (&[0, 0], [1, 1, 0]);
    each(
        &sb,
        end,
        &[
            ((0, 1), &[(Barrier::Full, 0, 0, 1)]),
            ((1, 1), &[(Barrier::Full, 1, 0, 1)]),
        ],
    );
    let neither: [&[Op]; 2] = [&[w(X, 1), r(Y)], &[w(Y, 1), r(X)]];
    let both = vec![(Barrier::Full, 0, 0, 1), (Barrier::Full, 1, 0, 1)];
    for model in [Model::Lkmm, Model::Rc11, Model::Tso] {
        assert_eq!(
            all(&neither, end, model),
            std::slice::from_ref(&both),
            "{model}"
        );
    }
}

#[test]
fn r_and_2_plus_2w() {
    let r_shape: [&[Op]; 2] = [&[w(X, 1), MB, w(Y, 1)], &[w(Y, 2), MB, r(X)]];
    each(
        &r_shape,
        (&[0], [1, 2, 0]),
        &[
            ((0, 1), &[(Barrier::Full, 0, 0, 1)]),
            ((1, 1), &[(Barrier::Full, 1, 0, 1)]),
        ],
    );
    let two: [&[Op]; 2] = [&[w(X, 1), MB, w(Y, 2)], &[w(Y, 1), MB, w(X, 2)]];
    // A write barrier is none here: what one of these spreads is not overwritten once more.
    let one = |cpu| [(Barrier::Full, cpu, 0, 1)];
    each(
        &two,
        (&[], [1, 1, 0]),
        &[((0, 1), &one(0)), ((1, 1), &one(1))],
    );
}

#[test]
fn s() {
    // The read decides about the write, so the reader needs no barrier.
    let s: [&[Op]; 2] = [&[w(X, 2), WMB, w(Y, 1)], &[r(Y), w(X, 1)]];
    let writer = [(Barrier::Release, 0, 0, 1), (Barrier::Write, 0, 0, 1)];
    each(&s, (&[1], [2, 1, 0]), &[((0, 1), &writer)]);
}

#[test]
fn what_spreads() {
    let wrc: [&[Op]; 3] = [&[w(X, 1)], &[r(X), MB, w(Y, 1)], &[r(Y), RMB, r(X)]];
    each(
        &wrc,
        (&[1, 1, 0], [1, 1, 0]),
        &[
            ((1, 1), &[(Barrier::Release, 1, 0, 1)]),
            (
                (2, 1),
                &[(Barrier::Acquire, 2, 0, 1), (Barrier::Read, 2, 0, 1)],
            ),
        ],
    );
    let isa2: [&[Op]; 3] = [
        &[w(X, 1), WMB, w(Y, 1)],
        &[r(Y), MB, w(Z, 1)],
        &[r(Z), RMB, r(X)],
    ];
    each(
        &isa2,
        (&[1, 1, 0], [1, 1, 1]),
        &[
            (
                (0, 1),
                &[(Barrier::Release, 0, 0, 1), (Barrier::Write, 0, 0, 1)],
            ),
            // Or what the first CPU does is stronger than it has to be.
            (
                (1, 1),
                &[(Barrier::Release, 1, 0, 1), (Barrier::Full, 0, 0, 1)],
            ),
            (
                (2, 1),
                &[(Barrier::Acquire, 2, 0, 1), (Barrier::Read, 2, 0, 1)],
            ),
        ],
    );
}

#[test]
fn where_any_of_several_places_will_do_all_are_told() {
    let mp: [&[Op]; 2] = [
        &[w(X, 1), w(Z, 1), w(Z, 2), w(Y, 1)],
        &[r(Y), RMB, r(X), r(Z)],
    ];
    let (found, remedies) = missing(&mp, (&[1, 0, 2], [1, 1, 2]), Model::Lkmm);
    let Remedies::Any(any) = remedies else {
        panic!("{remedies:?}")
    };
    let told: Vec<Vec<Told>> = any.iter().map(|remedy| told(&found, remedy)).collect();
    assert!(told.contains(&vec![(Barrier::Write, 0, 0, 3)]), "{told:?}");
}

#[test]
fn an_interleaving_needs_no_weak_memory() {
    let lost: [&[Op]; 2] = [&[r(X), w(X, 1)], &[r(X), w(X, 2)]];
    let (_, remedies) = missing(&lost, (&[0, 0], [1, 0, 0]), Model::Lkmm);
    assert_eq!(remedies, Remedies::Interleaving);
}

#[test]
fn a_data_race_is_ordered_where_the_reader_looks_at_what_was_published() {
    let cell = CellId(3);
    let mut listing = listing([
        &[Op::Write { cell, value: 1 }, release(Y, 1)],
        &[r(Y), Op::Read { cell }],
    ]);
    let told = |listing: &Listing| {
        let program = Arc::new(listing.to_program());
        let search = Search::unlimited(Model::Lkmm);
        let Verdict::Failed(found) = explore(&GraphEngine::ONE_THREAD, &program, &search).verdict
        else {
            panic!("a race");
        };
        let remedies = remedies(&program, Model::Lkmm, &found).expect("it can be said");
        (found, remedies.weakest())
    };
    // Whoever has not seen the flag races whatever is ordered.
    assert_eq!(told(&listing).1, Remedies::Interleaving);
    listing.cpus[1][1].only_if = Some(1);
    let (found, remedies) = told(&listing);
    let Remedies::Any(any) = remedies else {
        panic!("{remedies:?}")
    };
    assert!(
        any.iter()
            .all(|remedy| remedy.orders_accesses && remedy.cycle.is_empty())
    );
    let places: Vec<_> = any
        .iter()
        .map(|remedy| self::told(&found, remedy))
        .collect();
    let expected = [Barrier::Acquire, Barrier::Read].map(|barrier| vec![(barrier, 1, 0, 1)]);
    assert_eq!(places, expected);
}
