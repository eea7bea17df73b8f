//! Cells, locks and sections of one execution, sequentially consistent, and who raced for them.
//!
//! shuttle runs one CPU at a time and detects no races: its own cells would only show what came of one. So
//! memory is ours. Beside its value each cell keeps a [`Clock`] of its last write, and a read takes
//! that over. Two plain accesses of which one is a write race if the later CPU's clock does not hold the
//! earlier one: they could have come in the other order. This is the graph engine's rule under SC (every
//! reads-from edge tells, and so do locks, sections, spawning and joining), found in the same executions.

use gupcheck_sync::{CellId, CellKind, LaneId, LockId, LockMode, Op, Source};
use smallvec::SmallVec;

use super::clock::Clock;
use super::misuse::Misuse;
use super::sections::Sections;
use gupcheck_program::Program;

/// An access to a plain cell, for whoever may race with it.
#[derive(Clone, Copy, Debug)]
struct Access {
    lane: usize,
    /// Which of the CPU's operations it is, counted from 1.
    time: u32,
    /// Which operation of the execution it is, counted from 0.
    step: usize,
}

#[derive(Clone, Debug, Default)]
struct Cell {
    value: u64,
    touched: bool,
    /// What was known where the last write was made.
    message: Clock,
    write: Option<Access>,
    /// Plain reads since the last write, the last of each CPU.
    reads: SmallVec<[Access; 4]>,
}

#[derive(Clone, Debug, Default)]
struct Lock {
    exclusive: Option<LaneId>,
    shared: SmallVec<[LaneId; 4]>,
    dropped_exclusive: Clock,
    dropped_shared: Clock,
}

/// What an operation's report names beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Origin {
    #[default]
    Nothing,
    /// It read the initial value.
    Init,
    /// It read from this step, or races with it.
    Step(usize),
}

impl Origin {
    /// As a trace says it, given which event each step is.
    pub(super) fn source(self, events: &[usize]) -> Option<Source> {
        match self {
            Self::Nothing => None,
            Self::Init => Some(Source::Init),
            Self::Step(step) => Some(Source::Event(events[step])),
        }
    }
}

/// What an operation did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    /// The value read, 0 where nothing is read.
    pub(super) read: u64,
    pub(super) origin: Origin,
    /// Whether it races with what its origin is then.
    pub(super) races: bool,
}

/// All cells, locks and sections.
pub(super) struct Memory {
    cells: Vec<Cell>,
    touched: Vec<CellId>,
    locks: Vec<Lock>,
    sections: Sections,
    /// What each CPU knows.
    known: Vec<Clock>,
    steps: usize,
}

impl Memory {
    pub(super) fn new(program: &Program) -> Self {
        let layout = program.layout();
        let cells = layout.cells().iter().map(|decl| Cell {
            value: decl.init,
            ..Cell::default()
        });
        Self {
            cells: cells.collect(),
            touched: Vec::new(),
            locks: vec![Lock::default(); layout.locks().len()],
            sections: Sections::new(program),
            known: vec![Clock::default(); program.cpus().len()],
            steps: 0,
        }
    }

    /// Forgets the last execution.
    pub(super) fn reset(&mut self, program: &Program) {
        for id in self.touched.drain(..) {
            let cell = &mut self.cells[id.index()];
            cell.value = program.layout().decl(id).init;
            cell.touched = false;
            cell.message.clear();
            cell.write = None;
            cell.reads.clear();
        }
        for lock in &mut self.locks {
            lock.exclusive = None;
            lock.shared.clear();
            lock.dropped_exclusive.clear();
            lock.dropped_shared.clear();
        }
        self.sections.reset();
        self.known.iter_mut().for_each(Clock::clear);
        self.steps = 0;
    }

    /// The value of a cell.
    pub(super) fn value(&self, cell: CellId) -> u64 {
        self.cells[cell.index()].value
    }

    /// The values of all cells.
    pub(super) fn values(&self) -> Vec<u64> {
        self.cells.iter().map(|cell| cell.value).collect()
    }

    /// Whether memory lets the operation happen now. Joining is not memory's business.
    pub(super) fn lets(&self, lane: LaneId, op: Op) -> bool {
        match op {
            Op::Lock { lock, mode } => {
                let lock = &self.locks[lock.index()];
                lock.exclusive.is_none() && (mode == LockMode::Shared || lock.shared.is_empty())
            }
            Op::SpinUntil { cell, until, .. } => until.is_met_by(self.value(cell)),
            Op::Wait(_) => self.sections.may_end(lane),
            _ => true,
        }
    }

    /// A CPU asks for an operation; a wait begins.
    pub(super) fn asks(&mut self, lane: LaneId, op: Op) {
        if let Op::Wait(kinds) = op {
            self.sections.begin(lane, kinds, &self.known[lane.index()]);
        }
    }

    /// Carries out an operation that may happen.
    pub(super) fn perform(
        &mut self,
        program: &Program,
        lane: LaneId,
        op: Op,
    ) -> Result<Done, Misuse> {
        let time = self.known[lane.index()].tick(lane.index());
        let step = self.steps;
        self.steps += 1;
        match op {
            Op::Lock { lock, mode } => self.lock(lane, lock, mode),
            Op::Unlock { lock, mode } => self.unlock(lane, lock, mode)?,
            Op::Spawn(other) => {
                let known = self.known[lane.index()].clone();
                self.known[other.index()].join(&known);
            }
            Op::Join(other) => {
                let known = self.known[other.index()].clone();
                self.known[lane.index()].join(&known);
            }
            Op::Enter(kind) => {
                let known = &mut self.known[lane.index()];
                self.sections.enter(lane, kind, known)?;
            }
            Op::Leave(kind) => {
                let known = &self.known[lane.index()];
                self.sections.leave(lane, kind, known)?;
            }
            Op::Wait(_) => self.sections.end(lane, &mut self.known[lane.index()]),
            Op::Fence(_) => {}
            _ => {
                if let Some(cell) = op.cell() {
                    let access = Access {
                        lane: lane.index(),
                        time,
                        step,
                    };
                    return Ok(self.access(program, cell, op, access));
                }
            }
        }
        Ok(Done::default())
    }

    fn access(&mut self, program: &Program, id: CellId, op: Op, access: Access) -> Done {
        let cell = &mut self.cells[id.index()];
        let known = &mut self.known[access.lane];
        if !cell.touched {
            cell.touched = true;
            self.touched.push(id);
        }
        let written = op.written(cell.value);
        let is_plain = program.layout().decl(id).kind != CellKind::Atomic;
        let unseen = |other: &&Access| known.get(other.lane) < other.time;
        let reads = cell.reads.iter().filter(|_| written.is_some());
        let racer = (cell.write.iter().chain(reads)).find(|other| is_plain && unseen(other));
        let origin = match (racer, cell.write) {
            (Some(racer), _) => Origin::Step(racer.step),
            (None, _) if !op.reads() => Origin::Nothing,
            (None, Some(write)) => Origin::Step(write.step),
            (None, None) => Origin::Init,
        };
        let done = Done {
            read: if op.reads() { cell.value } else { 0 },
            origin,
            races: racer.is_some(),
        };
        if op.reads() {
            known.join(&cell.message);
        }
        if let Some(value) = written {
            cell.value = value;
            cell.message.clone_from(known);
            cell.write = Some(access);
            cell.reads.clear();
        } else if is_plain {
            cell.reads.retain(|read| read.lane != access.lane);
            cell.reads.push(access);
        }
        done
    }

    fn lock(&mut self, lane: LaneId, id: LockId, mode: LockMode) {
        let lock = &mut self.locks[id.index()];
        let known = &mut self.known[lane.index()];
        known.join(&lock.dropped_exclusive);
        match mode {
            LockMode::Shared => lock.shared.push(lane),
            LockMode::Exclusive => {
                known.join(&lock.dropped_shared);
                lock.exclusive = Some(lane);
            }
        }
    }

    fn unlock(&mut self, lane: LaneId, id: LockId, mode: LockMode) -> Result<(), Misuse> {
        let lock = &mut self.locks[id.index()];
        let known = &self.known[lane.index()];
        match mode {
            LockMode::Exclusive if lock.exclusive == Some(lane) => {
                lock.exclusive = None;
                lock.dropped_exclusive.join(known);
            }
            LockMode::Shared => {
                let held = lock.shared.iter().position(|&holder| holder == lane);
                lock.shared.swap_remove(held.ok_or(Misuse::NotHeld(id))?);
                lock.dropped_shared.join(known);
            }
            LockMode::Exclusive => return Err(Misuse::NotHeld(id)),
        }
        Ok(())
    }

    /// The CPUs that an operation of a CPU waits for, where they can be named and where it can be said now: who holds
    /// the lock, who is in a section that it would wait for if it began to only now.
    pub(super) fn blockers(&self, lane: LaneId, op: Op) -> Vec<LaneId> {
        match op {
            Op::Join(other) => vec![other],
            Op::Wait(kinds) => self.sections.would_keep(lane, kinds).collect(),
            Op::Lock { lock, .. } => {
                let lock = &self.locks[lock.index()];
                lock.exclusive.iter().chain(&lock.shared).copied().collect()
            }
            _ => Vec::new(),
        }
    }
}
