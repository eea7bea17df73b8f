//! experiment
mod common;
use common::*;
use gupcheck_core::sync::{Layout, Rmw, RmwOrder};
use gupcheck_races::engine::LoomEngine;
use gupcheck_races::program::{Program, Returned};
use gupcheck_races::verdict::Verdict;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq)]
enum I {
    R(usize),
    W(usize, i32),
    A(usize),
}

fn sc(threads: &[Vec<I>]) -> BTreeSet<Vec<i64>> {
    fn go(
        t: &[Vec<I>],
        pc: &mut Vec<usize>,
        mem: [i32; 2],
        regs: &mut Vec<Vec<i64>>,
        out: &mut BTreeSet<Vec<i64>>,
    ) {
        let mut done = true;
        for i in 0..t.len() {
            if pc[i] == t[i].len() {
                continue;
            }
            done = false;
            let op = t[i][pc[i]];
            pc[i] += 1;
            let mut m = mem;
            let mut pushed = false;
            match op {
                I::R(x) => {
                    regs[i].push(m[x].into());
                    pushed = true;
                }
                I::W(x, v) => m[x] = v,
                I::A(x) => {
                    regs[i].push(m[x].into());
                    pushed = true;
                    m[x] += 10;
                }
            }
            go(t, pc, m, regs, out);
            if pushed {
                regs[i].pop();
            }
            pc[i] -= 1;
        }
        if done {
            out.insert(regs.concat());
        }
    }
    let mut out = BTreeSet::new();
    go(
        threads,
        &mut vec![0; threads.len()],
        [0; 2],
        &mut vec![vec![]; threads.len()],
        &mut out,
    );
    out
}

#[test]
fn coverage() {
    let mut seed = 12345u64;
    let mut next = move |n: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) % n
    };
    let (mut missing, mut execs, mut n, mut lost, mut totalout) = (0, 0, 0, 0, 0);
    for _ in 0..300 {
        let nt = 2 + next(2) as usize;
        let mut v = 0;
        let threads: Vec<Vec<I>> = (0..nt)
            .map(|_| {
                (0..2 + next(2))
                    .map(|_| {
                        let x = next(2) as usize;
                        match next(5) {
                            0 | 1 => I::R(x),
                            2 | 3 => {
                                v += 1;
                                I::W(x, v)
                            }
                            _ => I::A(x),
                        }
                    })
                    .collect()
            })
            .collect();
        let mut layout = Layout::new();
        let cells = [layout.atomic("x", 0i32), layout.atomic("y", 0i32)];
        let mut program = Program::new(layout);
        for t in &threads {
            let t = t.clone();
            program.cpu("cpu", move |lane| {
                let mut out = Returned::nothing();
                for op in &t {
                    match *op {
                        I::R(x) => out = out.int("r", cells[x].load(lane, Loose).into()),
                        I::W(x, v) => cells[x].store(lane, v, Plainly),
                        I::A(x) => {
                            out = out.int(
                                "r",
                                cells[x].rmw(lane, Rmw::Add(10), RmwOrder::Relaxed).into(),
                            )
                        }
                    }
                }
                out
            });
        }
        let found = explore(&LoomEngine, program, &at_most(100_000));
        if !matches!(found.verdict, Verdict::Complete) {
            eprintln!("skip {threads:?} {:?}", found.verdict);
            continue;
        }
        let got = results(&found);
        let want = sc(&threads);
        let miss = want.difference(&got).count();
        n += 1;
        totalout += want.len();
        lost += miss;
        execs += found.executions;
        if miss > 0 {
            missing += 1;
        }
    }
    eprintln!(
        "programs {n}, with missing {missing}, outcomes lost {lost} of {totalout}, executions {execs}"
    );
    panic!();
}
