//! How much of what interleaving alone can bring about does the loom engine find?
//!
//! The oracle is an enumerator of all interleavings of tiny random programs: every outcome under
//! sequential consistency must be found under a weaker model. loom 0.7.3 is known to miss some; the
//! number here is a record of how many, which only an improvement may change.

use std::collections::BTreeSet;

use gupcheck_loom::LoomEngine;
use gupcheck_program::{Program, Returned, Verdict};
use gupcheck_sync::{Layout, Rmw, RmwOrder};
use gupcheck_trials::{Loose, Plainly, at_most, explore, results};

#[derive(Clone, Copy, Debug)]
enum Step {
    Load(usize),
    Store(usize, i32),
    Add(usize),
}

const ADDEND: i32 = 10;

/// All results under sequential consistency.
fn interleavings(threads: &[Vec<Step>]) -> BTreeSet<Vec<i64>> {
    fn go(
        threads: &[Vec<Step>],
        at: &[usize],
        memory: [i32; 2],
        read: &[Vec<i64>],
        found: &mut BTreeSet<Vec<i64>>,
    ) {
        let mut ended = true;
        for (nth, steps) in threads.iter().enumerate() {
            let Some(&step) = steps.get(at[nth]) else {
                continue;
            };
            ended = false;
            let (mut at, mut memory, mut read) = (at.to_vec(), memory, read.to_vec());
            at[nth] += 1;
            match step {
                Step::Load(cell) => read[nth].push(memory[cell].into()),
                Step::Store(cell, value) => memory[cell] = value,
                Step::Add(cell) => {
                    read[nth].push(memory[cell].into());
                    memory[cell] += ADDEND;
                }
            }
            go(threads, &at, memory, &read, found);
        }
        if ended {
            found.insert(read.concat());
        }
    }
    let mut found = BTreeSet::new();
    let (at, read) = (vec![0; threads.len()], vec![Vec::new(); threads.len()]);
    go(threads, &at, [0; 2], &read, &mut found);
    found
}

fn program(threads: &[Vec<Step>]) -> Program {
    let mut layout = Layout::new();
    let cells = [layout.atomic("x", 0i32), layout.atomic("y", 0i32)];
    let mut program = Program::new(layout);
    for steps in threads {
        let steps = steps.clone();
        program.cpu("cpu", move |lane| {
            steps
                .iter()
                .fold(Returned::nothing(), |returned, step| match *step {
                    Step::Load(cell) => returned.int("r", cells[cell].load(lane, Loose).into()),
                    Step::Store(cell, value) => {
                        cells[cell].store(lane, value, Plainly);
                        returned
                    }
                    Step::Add(cell) => {
                        let old = cells[cell].rmw(lane, Rmw::Add(ADDEND as u64), RmwOrder::Relaxed);
                        returned.int("r", old.into())
                    }
                })
        });
    }
    program
}

/// Two or three threads of two or three steps.
fn random(next: &mut impl FnMut(u64) -> u64) -> Vec<Vec<Step>> {
    let mut value = 0;
    (0..2 + next(2))
        .map(|_| {
            (0..2 + next(2))
                .map(|_| {
                    let cell = next(2) as usize;
                    match next(5) {
                        0 | 1 => Step::Load(cell),
                        2 | 3 => {
                            value += 1;
                            Step::Store(cell, value)
                        }
                        _ => Step::Add(cell),
                    }
                })
                .collect()
        })
        .collect()
}

#[test]
fn most_interleavings_of_random_programs_are_found() {
    let mut seed = 12345u64;
    let mut next = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) % below
    };
    let (mut complete, mut incomplete, mut outcomes, mut missed) = (0, 0, 0, 0);
    for _ in 0..60 {
        let threads = random(&mut next);
        let found = explore(&LoomEngine, program(&threads), &at_most(4_000));
        if !matches!(found.verdict, Verdict::Complete) {
            continue;
        }
        let possible = interleavings(&threads);
        let unseen = possible.difference(&results(&found)).count();
        complete += 1;
        outcomes += possible.len();
        missed += unseen;
        incomplete += usize::from(unseen > 0);
    }
    assert_eq!(
        (complete, outcomes, incomplete, missed),
        (31, 119, 0, 0),
        "programs searched, their outcomes; programs with outcomes missing, how many"
    );
}
