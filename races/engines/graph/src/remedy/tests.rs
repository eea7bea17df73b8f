//! Whether a graph is forbidden with a barrier in it, and whether it has a cycle then, is the same: on random programs.

use std::collections::HashSet;
use std::sync::Arc;

use gupcheck_program::{Barrier, Choice, Program};

use super::cycle::shortest;
use super::edit::Edit;
use super::gaps::Gap;
use super::node::Nodes;
use super::rebuild::{Answer, Original};
use crate::build::{Builder, Ending};
use crate::model::{Lkmm, Sc};
use crate::replay::foreseen;
use crate::selfcheck::generate::{Family, program};

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

#[test]
fn what_the_model_forbids_has_a_cycle_and_nothing_else_has() {
    let (mut forbidden, mut possible, mut families) = (0, 0, HashSet::new());
    for (family, seed) in Family::ALL
        .into_iter()
        .flat_map(|f| (0..40).map(move |s| (f, s)))
    {
        let program = Arc::new(program(family, seed).to_program());
        for number in 0..24 {
            let Some(original) = graph(&program, seed * 31 + number) else {
                continue;
            };
            // Of interleavings a few will do: no barrier forbids one.
            if number > 1 && original.asked::<Sc>(&[]) == Answer::Possible {
                continue;
            }
            for nth in 0..8 {
                let edits = some(&original, nth);
                let is_forbidden = original.asked::<Lkmm>(&edits) == Answer::Forbidden;
                let graph = original.with::<Lkmm>(&edits);
                let cycle = shortest(&Nodes::of(&graph));
                let listing = || crate::selfcheck::generate::program(family, seed);
                assert_eq!(
                    is_forbidden,
                    cycle.is_some(),
                    "{edits:?}, {cycle:?}\n{}",
                    listing()
                );
                if is_forbidden {
                    forbidden += 1;
                    families.insert(family.name());
                } else {
                    possible += 1;
                }
            }
        }
    }
    // Both sides, or nothing was compared.
    assert!(
        forbidden > 100 && possible > 1000 && families.len() > 4,
        "{forbidden} {possible} {families:?}"
    );
}
