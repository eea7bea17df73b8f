//! What the graph engine tells under SC and TSO could have been watched: a machine with memory and store buffers
//! does it step by step.

mod common;

use std::collections::VecDeque;
use std::sync::Arc;

use common::{MB, X, Y, r, w};
use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::explore;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_graph::selfcheck::listing::Listing;
use gupcheck_program::{Counterexample, Engine, Model, Program, Search, Verdict};
use gupcheck_sync::{CellId, Event, FenceOrder, LaneId, Layout, Op, What};
use gupcheck_trials::{broken, search, store_buffering};

/// Programs of each kind.
const PROGRAMS: u64 = 300;
/// Outcomes of each that are asked for.
const OUTCOMES: usize = 6;

/// Memory, and for each CPU the stores that have not reached it.
struct Machine<'t> {
    trace: &'t [Event],
    memory: Vec<u64>,
    buffers: Vec<VecDeque<usize>>,
}

impl<'t> Machine<'t> {
    fn new(layout: &Layout, cpus: usize, trace: &'t [Event]) -> Self {
        Self {
            trace,
            memory: layout.cells().iter().map(|cell| cell.init).collect(),
            buffers: vec![VecDeque::new(); cpus],
        }
    }

    fn store(&self, index: usize) -> (usize, u64) {
        match self.trace[index].what {
            What::Op {
                op,
                wrote: Some(value),
                ..
            } => (op.cell().expect("a cell").index(), value),
            other => panic!("{other:?} is no store"),
        }
    }

    /// What a CPU sees in a cell: its own newest store, or memory.
    fn seen(&self, lane: LaneId, cell: usize) -> u64 {
        let own = self.buffers[lane.index()].iter().rev();
        own.map(|&index| self.store(index))
            .find(|&(of, _)| of == cell)
            .map_or(self.memory[cell], |(_, value)| value)
    }

    /// Does the event at `index`, or says why no machine could.
    fn step(&mut self, index: usize) -> Result<(), String> {
        let Event { lane, what, .. } = self.trace[index];
        let is_empty = self.buffers[lane.index()].is_empty();
        match what {
            What::Note(_) => {}
            What::Drain { store } => {
                if self.buffers[lane.index()].pop_front() != Some(store) {
                    return Err(format!("{store} leaves out of turn"));
                }
                let (cell, value) = self.store(store);
                self.memory[cell] = value;
            }
            What::Op {
                op, read, wrote, ..
            } => {
                let drains = match op {
                    Op::Fence(order) => order == FenceOrder::SeqCst,
                    Op::Rmw { .. } => wrote.is_some(),
                    _ => matches!(op, Op::Lock { .. } | Op::Spawn(_) | Op::Join(_)),
                };
                if drains && !is_empty {
                    return Err("the store buffer is not empty".to_owned());
                }
                let Some(cell) = op.cell().map(CellId::index) else {
                    return Ok(());
                };
                let seen = self.seen(lane, cell);
                if read.is_some_and(|read| read != seen) {
                    return Err(format!("it reads {read:?}, and sees {seen}"));
                }
                let waits = |event: &Event| event.what == What::Drain { store: index };
                match wrote {
                    Some(_) if self.trace.iter().any(waits) => {
                        self.buffers[lane.index()].push_back(index);
                    }
                    Some(_) if !is_empty => return Err("it overtakes a store".to_owned()),
                    Some(value) => self.memory[cell] = value,
                    None => {}
                }
            }
        }
        Ok(())
    }
}

/// How many stores of a counterexample were delayed; or a panic that says which event could not be.
fn watch(program: &Program, counterexample: &Counterexample) -> usize {
    let trace = &counterexample.trace;
    let mut machine = Machine::new(program.layout(), program.cpus().len(), trace);
    for index in 0..trace.len() {
        if let Err(why) = machine.step(index) {
            panic!("event {index}: {why}, in {trace:#?}");
        }
    }
    assert!(machine.buffers.iter().all(VecDeque::is_empty));
    assert_eq!(machine.memory, counterexample.memory);
    let is_drain = |event: &&Event| matches!(event.what, What::Drain { .. });
    trace.iter().filter(is_drain).count()
}

fn explored(program: Program, model: Model) -> (Arc<Program>, Verdict) {
    let program = Arc::new(program);
    let search = Search { model, ..search() };
    let verdict = GraphEngine::ONE_THREAD.explore(&program, &search).verdict;
    (program, verdict)
}

/// Programs of each family.
fn drawn() -> impl Iterator<Item = Listing> {
    let families = [Family::Mixed, Family::Queues, Family::Waits];
    let of = |family| (0..PROGRAMS).map(move |seed| program(family, seed));
    families.into_iter().flat_map(of)
}

/// Programs of two CPUs, and a third in some, that store and load, and have few fences.
fn buffering() -> impl Iterator<Item = Listing> {
    let ops = [w(X, 1), r(Y), w(Y, 1), r(X), w(X, 2), w(Y, 2), MB];
    (0..PROGRAMS).map(move |seed| {
        let mut digits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut op = || {
            digits = digits.rotate_left(7) / 3;
            ops[(digits % ops.len() as u64) as usize]
        };
        let lengths = if seed % 2 == 0 { [4, 4, 0] } else { [3, 3, 2] };
        let cpu = |&length: &usize| (0..length).map(|_| op().into()).collect::<Vec<_>>();
        let mut cpus: Vec<_> = lengths.iter().map(cpu).collect();
        cpus.retain(|lines| !lines.is_empty());
        Listing { cpus }
    })
}

/// Asks for every outcome as if it were forbidden; how many counterexamples and delayed stores there were.
fn watch_all(listings: impl Iterator<Item = Listing>, model: Model) -> (usize, usize) {
    let (mut watched, mut delayed) = (0, 0);
    for listing in listings {
        let plain = explore(&listing, Model::Sc).outcomes;
        let outcomes = explore(&listing, model).outcomes;
        // Those first that take a store buffer.
        let mut outcomes: Vec<_> = outcomes.into_keys().collect();
        outcomes.sort_by_key(|outcome| plain.contains_key(outcome));
        for outcome in outcomes.into_iter().take(OUTCOMES) {
            let mut program = listing.to_program();
            let observed = program.observed().to_vec();
            program.always("another outcome", move |end| {
                let last = observed.iter().map(|&cell| end.word(cell));
                !(last.eq(outcome.observed.iter().copied())
                    && end.all_returned() == &outcome.returned[..])
            });
            let (program, verdict) = explored(program, model);
            if let Verdict::Failed(counterexample) = verdict {
                watched += 1;
                delayed += watch(&program, &counterexample);
            }
        }
    }
    (watched, delayed)
}

#[test]
fn what_is_told_under_sc_could_have_been_watched() {
    let (watched, delayed) = watch_all(drawn().chain(buffering()), Model::Sc);
    assert!(watched > PROGRAMS as usize, "{watched}");
    assert_eq!(delayed, 0);
}

#[test]
fn what_is_told_under_tso_could_have_been_watched() {
    let (watched, _) = watch_all(drawn(), Model::Tso);
    assert!(watched > PROGRAMS as usize, "{watched}");
    let (watched, delayed) = watch_all(buffering(), Model::Tso);
    assert!(watched > PROGRAMS as usize, "{watched}");
    assert!(delayed > PROGRAMS as usize / 2, "{delayed}");
}

#[test]
fn under_rc11_it_need_not_be() {
    let mut program = gupcheck_trials::message_passing(false);
    program.always("the flag comes with its data", |end| {
        end.returned(LaneId(1)).all("r").ne([1, 0])
    });
    let (program, verdict) = explored(program, Model::Rc11);
    let Verdict::Failed(counterexample) = verdict else {
        panic!("{verdict:?}");
    };
    let trace = &counterexample.trace;
    let mut machine = Machine::new(program.layout(), program.cpus().len(), trace);
    assert!((0..trace.len()).any(|index| machine.step(index).is_err()));
}

#[test]
fn store_buffering_shows_a_store_that_waits() {
    let mut program = store_buffering(false);
    program.always("somebody sees a store", |end| {
        end.all_returned().iter().any(|cpu| cpu.get("r") == Some(1))
    });
    let program = Arc::new(program);
    let search = Search {
        model: Model::Tso,
        ..search()
    };
    let exploration = GraphEngine::ONE_THREAD.explore(&program, &search);
    let counterexample = broken(&exploration);
    assert_eq!(watch(&program, counterexample), 1);
    let shape: Vec<_> = (counterexample.trace.iter())
        .map(|event| match event.what {
            What::Op { op, .. } if op.reads() => (event.lane.0, "load"),
            What::Op { .. } => (event.lane.0, "store"),
            What::Drain { .. } => (event.lane.0, "drain"),
            What::Note(_) => (event.lane.0, "note"),
        })
        .collect();
    let first = shape[0].0;
    let expected = [
        (first, "store"),
        (first, "load"),
        (1 - first, "store"),
        (1 - first, "load"),
        (first, "drain"),
    ];
    assert_eq!(shape, expected);
}
