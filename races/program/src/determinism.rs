//! Whether the CPUs of a program do the same whenever they read the same.
//!
//! Every engine rests on that: a CPU is a function from the values that its operations return to the next
//! operation. One that looks at a clock, at an address, at the order of a hash map, or at anything that
//! it keeps between executions is not, and what an engine says of it means nothing. So before a program
//! is explored, its *first execution* is run and then repeated, and the two are compared operation by
//! operation. It costs about what one execution costs.
//!
//! 1. The first execution is the plainest there is: each CPU in turn goes on as far as it can, in memory
//!    that is sequentially consistent. What it asked, where, and what it was answered is its log. A CPU
//!    that must wait is unwound; when its turn comes again it is begun anew and given its log.
//! 2. Then each CPU is run a few times more over its log.
//!
//! Every repetition begins somewhere else on its stack, and in a heap in which other places are free, so
//! that addresses differ. Every run is on a thread of its own, which is named after the CPU and whose
//! stack is as small as an engine's.
//!
//! It finds what differs within a process and an instant, with the chance that a few repetitions give.
//! What is the same until the next process begins (the address of a static, the environment, the day) it
//! does not find; nor what only other executions come by.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;

use gupcheck_sync::{Backend, Fault, Lane, LaneId, LockMode, Op, SectionSet, Site};

use crate::difference::{Did, Difference};
use crate::means;
use crate::panics;
use crate::program::{Program, Start};
use crate::stack::{STACK_BYTES, Stack};

/// How often each CPU is run over its whole log.
const REPETITIONS: usize = 4;
/// Operations of one CPU after which enough has been seen.
const ENOUGH: usize = 20_000;

/// Compares the first execution of `program` with itself.
///
/// # Errors
/// The first difference.
pub fn check(program: &Program) -> Result<(), Box<Difference>> {
    let mut stage = Stage::new(program);
    stage.perform()?;
    for lane in stage.lanes() {
        for nth in 1..=REPETITIONS {
            stage.run(lane, Some(nth))?;
        }
    }
    Ok(())
}

/// What a CPU asked and was answered.
#[derive(Default)]
struct Log {
    lines: Vec<(Op, Site, u64)>,
    ended: Option<Did>,
}

/// Memory, and who holds what.
struct Memory {
    cells: Vec<u64>,
    /// How many hold each lock, and whether it is one alone.
    locks: Vec<(u32, bool)>,
    /// The sections that each CPU is in.
    inside: Vec<SectionSet>,
    started: Vec<bool>,
    done: Vec<bool>,
}

/// The execution.
struct Stage<'p> {
    program: &'p Program,
    memory: Mutex<Memory>,
    logs: Vec<Log>,
}

impl<'p> Stage<'p> {
    fn new(program: &'p Program) -> Self {
        let (layout, cpus) = (program.layout(), program.cpus());
        Self {
            program,
            memory: Mutex::new(Memory {
                cells: layout.cells().iter().map(|decl| decl.init).collect(),
                locks: vec![(0, false); layout.locks().len()],
                inside: vec![SectionSet::default(); cpus.len()],
                started: cpus.iter().map(|cpu| cpu.start == Start::AtOnce).collect(),
                done: vec![false; cpus.len()],
            }),
            logs: cpus.iter().map(|_| Log::default()).collect(),
        }
    }

    fn lanes(&self) -> impl Iterator<Item = LaneId> + use<> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let started = memory.started.clone();
        let all = (0u8..).map(LaneId).zip(started);
        all.filter_map(|(lane, started)| started.then_some(lane))
    }

    /// The first execution, until nobody can go on.
    fn perform(&mut self) -> Result<(), Box<Difference>> {
        loop {
            let mut has_moved = false;
            for lane in self.lanes() {
                has_moved |= self.run(lane, None)?;
            }
            if !has_moved {
                return Ok(());
            }
        }
    }

    /// Runs a CPU over its log, and on from there if this is no repetition. Whether it came further.
    fn run(&mut self, lane: LaneId, repetition: Option<usize>) -> Result<bool, Box<Difference>> {
        let live = repetition.is_none();
        let log = &self.logs[lane.index()];
        if live && !matches!(log.ended, None | Some(Did::Asked(..))) {
            return Ok(false);
        }
        let cpu = &self.program.cpus()[lane.index()];
        let work = || elsewhere(repetition.unwrap_or(0), || Actor::run(self, lane, live));
        let (lines, ended) = thread::scope(|scope| {
            let named = thread::Builder::new().name(cpu.name.to_string());
            let runner = named.stack_size(STACK_BYTES).spawn_scoped(scope, work);
            let runner = runner.unwrap_or_else(|error| means::refused("a thread", error));
            runner.join().expect("what a body throws is caught")
        })?;
        if live {
            let log = &mut self.logs[lane.index()];
            let has_moved = !lines.is_empty() || log.ended.is_none();
            log.lines.extend(lines);
            log.ended = Some(ended);
            return Ok(has_moved);
        }
        let log = &self.logs[lane.index()];
        match &log.ended {
            Some(was) if *was != ended => {
                Err(difference(lane, log.lines.len() + 1, was.clone(), ended))
            }
            _ => Ok(false),
        }
    }
}

/// Two things that a CPU did in the same place.
fn difference(lane: LaneId, nth: usize, was: Did, then: Did) -> Box<Difference> {
    Box::new(Difference {
        lane,
        nth,
        was,
        then,
    })
}

/// Does `work` so much further down the stack, while so many places of each size are taken in the heap.
fn elsewhere<R>(places: usize, work: impl FnOnce() -> R) -> R {
    let taken: Vec<Vec<u8>> = (0..places)
        .flat_map(|_| (3..12).map(|bits| Vec::with_capacity(1 << bits)))
        .collect();
    let result = deeper(places, work);
    drop(black_box(taken));
    result
}

#[inline(never)]
fn deeper<R>(frames: usize, work: impl FnOnce() -> R) -> R {
    let frame = black_box([0u8; 48]);
    let result = if frames == 0 {
        work()
    } else {
        deeper(frames - 1, Box::new(work) as Box<dyn FnOnce() -> R>)
    };
    black_box(frame);
    result
}

/// What unwinds a CPU, past the panic hook.
enum Halt {
    Ended(Did),
    Differs(Box<Difference>),
}

impl Halt {
    fn raise(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }
}

/// One run of one CPU.
struct Actor<'s> {
    stage: &'s Stage<'s>,
    live: bool,
    given: Cell<usize>,
    fresh: RefCell<Vec<(Op, Site, u64)>>,
    stack: Stack,
}

type Run = (Vec<(Op, Site, u64)>, Did);

impl<'s> Actor<'s> {
    fn run(stage: &'s Stage<'s>, lane: LaneId, live: bool) -> Result<Run, Box<Difference>> {
        let actor = Self {
            stage,
            live,
            given: Cell::new(0),
            fresh: RefCell::default(),
            stack: Stack::begin(),
        };
        let cpu = &stage.program.cpus()[lane.index()];
        let ended = match panics::isolated(|| cpu.run(&Lane::new(lane, &actor))) {
            Ok(returned) => Did::Returned(returned),
            Err(caught) => {
                let message = caught.message();
                match caught.payload.downcast::<Halt>().map(|halt| *halt) {
                    Ok(Halt::Ended(ended)) => ended,
                    Ok(Halt::Differs(difference)) => return Err(difference),
                    Err(_) => Did::Panicked(message),
                }
            }
        };
        let known = stage.logs[lane.index()].lines.len();
        if actor.given.get() < known && ended != Did::Deep {
            let nth = actor.given.get();
            let (op, site, _) = stage.logs[lane.index()].lines[nth];
            return Err(difference(lane, nth + 1, Did::Asked(op, site), ended));
        }
        if matches!(ended, Did::Returned(_)) && live {
            actor.memory().done[lane.index()] = true;
        }
        Ok((actor.fresh.into_inner(), ended))
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        (self.stage.memory.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Actor<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        let log = &self.stage.logs[lane.index()];
        let nth = self.given.get();
        if thread::panicking() {
            return 0;
        }
        if self.stack.trouble().is_some() {
            Halt::Ended(Did::Deep).raise();
        }
        let asked_before = match (log.lines.get(nth), &log.ended) {
            (Some(&(was, there, _)), _) => Some((was, there)),
            (None, Some(Did::Asked(was, there))) if nth == log.lines.len() => Some((*was, *there)),
            _ => None,
        };
        if let Some((was, there)) = asked_before
            && (was, there) != (op, site)
        {
            let (was, then) = (Did::Asked(was, there), Did::Asked(op, site));
            Halt::Differs(difference(lane, nth + 1, was, then)).raise();
        }
        if let Some(&(_, _, answer)) = log.lines.get(nth) {
            self.given.set(nth + 1);
            return answer;
        }
        let done = (self.live && nth < ENOUGH).then(|| self.memory().perform(lane, op));
        let Some(answer) = done.flatten() else {
            Halt::Ended(Did::Asked(op, site)).raise();
        };
        self.given.set(nth + 1);
        self.fresh.borrow_mut().push((op, site, answer));
        answer
    }

    fn fault(&self, _: LaneId, fault: Fault, site: Site) -> ! {
        Halt::Ended(Did::Faulted(fault, site)).raise()
    }
}

impl Memory {
    /// Does an operation and returns the answer to it; `None` if it cannot be done now.
    fn perform(&mut self, lane: LaneId, op: Op) -> Option<u64> {
        match op {
            Op::Lock { lock, mode } => {
                let (holders, alone) = &mut self.locks[lock.index()];
                let shared = mode == LockMode::Shared;
                if *alone || (!shared && *holders > 0) {
                    return None;
                }
                (*holders, *alone) = (*holders + 1, !shared);
            }
            Op::Unlock { lock, .. } => {
                let (holders, alone) = &mut self.locks[lock.index()];
                (*holders, *alone) = (holders.saturating_sub(1), false);
            }
            Op::SpinUntil { cell, until, .. } if !until.is_met_by(self.cells[cell.index()]) => {
                return None;
            }
            Op::Enter(kind) => {
                let inside = &mut self.inside[lane.index()];
                *inside = inside.with(kind);
            }
            Op::Leave(kind) => {
                let inside = &mut self.inside[lane.index()];
                *inside = inside.without(kind);
            }
            Op::Wait(kinds) => {
                let mut others = (0..).zip(&self.inside);
                if others.any(|(nth, inside)| nth != lane.index() && !inside.is_apart_from(kinds)) {
                    return None;
                }
            }
            Op::Join(other) if !self.done[other.index()] => return None,
            Op::Spawn(other) => self.started[other.index()] = true,
            _ => {}
        }
        let Some(cell) = op.cell() else {
            return Some(0);
        };
        let word = &mut self.cells[cell.index()];
        let read = *word;
        if let Some(written) = op.written(read) {
            *word = written;
        }
        Some(op.answer(read))
    }
}
