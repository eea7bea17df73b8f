//! Whether a graph is forbidden with a barrier in it, and whether it has a cycle then, is the same: on random programs.

use std::sync::Arc;

use gupcheck_program::{Barrier, Choice, Program};
use gupcheck_sync::{CellId, LoadOrder, Look, Op, Rmw, RmwOrder, StoreOrder};

use super::cycle::shortest;
use super::edit::Edit;
use super::gaps::Gap;
use super::node::Nodes;
use super::rebuild::{Answer, Original};
use crate::build::{Builder, Ending};
use crate::model::{Lkmm, Sc};
use crate::replay::foreseen;

use crate::selfcheck::generate::{Family, program};
use crate::selfcheck::listing::Listing;

const BARRIERS: [Barrier; 5] = [
    Barrier::Acquire,
    Barrier::Release,
    Barrier::Read,
    Barrier::Write,
    Barrier::Full,
];

fn next(number: u64) -> u64 {
    number
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

/// A graph of a program, by choices that depend on a number.
fn graph(program: &Arc<Program>, mut number: u64) -> Option<Original> {
    let mut random = move || {
        number = next(number);
        (number >> 33) as u32
    };
    let waits = foreseen::<Lkmm>(program, &[]).ok()?;
    let mut builder = Builder::<Lkmm>::new(program, &waits);
    let mut current = 0;
    let mut choices: Vec<Choice> = Vec::new();
    while let Ending::Open(lane) = builder.ending(current) {
        let (lane, back) = (lane as u8, random() % 3);
        choices.push(Choice { lane, back });
        let broken = builder.take(usize::from(lane), back, false).ok()?;
        if broken.is_some() || builder.unforeseen.is_some() {
            return None;
        }
        current = random() as usize % program.cpus().len();
    }
    Some(Original {
        program: Arc::clone(program),
        graph: builder.explorer.level().graph.clone(),
        blame: Vec::new(),
    })
}

/// Barriers in most of the gaps, as a number says; full ones in all, if it is 0.
fn some(original: &Original, number: u64) -> Vec<Edit> {
    let mut state = number;
    let mut edits = Vec::new();
    for gap in Gap::all(original) {
        state = next(state);
        let barrier = match number {
            0 => Some(&Barrier::Full),
            _ => BARRIERS.get((state >> 33) as usize % (BARRIERS.len() + 1)),
        };
        edits.extend(barrier.and_then(|&barrier| gap.with(&original.graph, barrier)));
    }
    edits
}

/// Two or three CPUs that do little, and all of it to the same two cells: hardly an end of theirs is an interleaving's.
fn dense(seed: u64) -> Listing {
    let mut state = seed;
    let mut below = |most: u64| {
        state = next(state);
        (state >> 33) % most
    };
    let mut listing = Listing::default();
    for _ in 0..2 + below(2) {
        let lines = (0..2 + below(2)).map(|_| {
            let cell = CellId(below(2) as u32);
            let (order, look) = (RmwOrder::Relaxed, Look::Value);
            let op = match below(6) {
                0 => Op::Rmw {
                    cell,
                    order,
                    rmw: Rmw::Add(1),
                    look,
                },
                1 | 2 => Op::Store {
                    cell,
                    order: StoreOrder::Relaxed,
                    value: 1 + below(2),
                },
                _ => Op::Load {
                    cell,
                    order: LoadOrder::Relaxed,
                    look,
                },
            };
            op.into()
        });
        listing.cpus.push(lines.collect());
    }
    listing
}

/// How many graphs with barriers in them are forbidden, and how many are not; each of them by its model, and by a cycle.
fn compared(listing: &Listing, numbers: std::ops::Range<u64>) -> [u32; 2] {
    let program = Arc::new(listing.to_program());
    let mut counts = [0, 0];
    for number in numbers {
        let Some(original) = graph(&program, number) else {
            continue;
        };
        // Of interleavings a few will do: no barrier forbids one.
        if number % 16 > 1 && original.asked::<Sc>(&[]) == Answer::Possible {
            continue;
        }
        for nth in 0..6 {
            let edits = some(&original, nth);
            let is_forbidden = original.asked::<Lkmm>(&edits) == Answer::Forbidden;
            let graph = original.with::<Lkmm>(&edits);
            let cycle = shortest(&Nodes::of(&graph));
            assert_eq!(
                is_forbidden,
                cycle.is_some(),
                "{edits:?}, {cycle:?}\n{listing}"
            );
            counts[usize::from(is_forbidden)] += 1;
        }
    }
    counts
}

#[test]
fn what_the_model_forbids_has_a_cycle_and_nothing_else_has() {
    let add = |[a, b]: [u32; 2], [c, d]: [u32; 2]| [a + c, b + d];
    let families = Family::ALL
        .into_iter()
        .flat_map(|family| (0..40).map(move |seed| (family, seed)));
    let random =
        families.map(|(family, seed)| compared(&program(family, seed), seed * 32..seed * 32 + 24));
    let random = random.fold([0, 0], add);
    let dense = (0..260).map(|seed| compared(&dense(seed), seed * 32..seed * 32 + 16));
    let dense = dense.fold([0, 0], add);
    // Both sides, or nothing was compared.
    let enough = random[1] > 10 && random[0] > 1000 && dense[1] > 200 && dense[0] > 200;
    assert!(enough, "{random:?} {dense:?}");
}
