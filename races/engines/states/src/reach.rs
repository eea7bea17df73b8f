//! What a CPU can still touch, from each class on; and which moves nobody else can tell the time of.
//!
//! A move is *local* if no other CPU can ever do anything that it does not commute with. Then it may be done at once:
//! whatever others do meanwhile, they may as well do after it. No execution is lost by that but for the order of what
//! commutes: no final state, no deadlock, and no state in which two CPUs are about to race, because an access that
//! somebody could race with is not local. There is no danger of putting somebody off for ever: programs end.

use gupcheck_sync::{CellId, FenceOrder, LockMode, Op, SectionSet};
use gupcheck_tree::{ClassId, Classes};

use crate::machine::{Machine, Move};
use crate::state::{Pending, Phase, State};

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bits(Vec<u64>);

impl Bits {
    fn sized(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn set(&mut self, nth: usize) {
        self.0[nth / 64] |= 1 << (nth % 64);
    }

    fn has(&self, nth: usize) -> bool {
        self.0[nth / 64] >> (nth % 64) & 1 == 1
    }

    fn join(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}

/// What can still be touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reach {
    reads: Bits,
    writes: Bits,
    /// Locks taken exclusively, and at all.
    exclusive: Bits,
    locks: Bits,
    /// Kinds of sections entered or left.
    sections: SectionSet,
    /// Kinds waited for, here or later; and later only.
    waits: SectionSet,
    waits_later: SectionSet,
}

const fn union(one: SectionSet, other: SectionSet) -> SectionSet {
    SectionSet(one.0 | other.0)
}

impl Reach {
    fn join(&mut self, child: &Self) {
        self.reads.join(&child.reads);
        self.writes.join(&child.writes);
        self.exclusive.join(&child.exclusive);
        self.locks.join(&child.locks);
        self.sections = union(self.sections, child.sections);
        self.waits = union(self.waits, child.waits);
        self.waits_later = union(self.waits_later, child.waits);
    }

    fn touch(&mut self, op: &Op) {
        match *op {
            Op::Load { cell, .. } | Op::Read { cell } | Op::SpinUntil { cell, .. } => {
                self.reads.set(cell.index());
            }
            Op::Store { cell, .. } | Op::Write { cell, .. } => self.writes.set(cell.index()),
            Op::Rmw { cell, .. } => {
                self.reads.set(cell.index());
                self.writes.set(cell.index());
            }
            Op::Lock { lock, mode } => {
                self.locks.set(lock.index());
                if mode == LockMode::Exclusive {
                    self.exclusive.set(lock.index());
                }
            }
            Op::Enter(kind) | Op::Leave(kind) => self.sections = self.sections.with(kind),
            Op::Wait(kinds) => self.waits = union(self.waits, kinds),
            Op::Unlock { .. } | Op::Fence(_) | Op::Spawn(_) | Op::Join(_) => {}
        }
    }
}

/// What can still be touched from each class on.
#[derive(Debug, Default)]
pub(crate) struct Reaches {
    all: Vec<Reach>,
    shared: Vec<bool>,
}

impl Reaches {
    pub(crate) fn of(machine: &Machine<'_>, classes: &Classes) -> Self {
        let layout = machine.program.layout();
        let mut reaches = Self {
            all: Vec::with_capacity(classes.all().len()),
            shared: layout.locks().iter().map(|lock| lock.is_shared).collect(),
        };
        for class in classes.all() {
            let mut reach = reaches.nothing(layout.cells().len());
            for edge in &class.edges {
                reach.join(&reaches.all[edge.to.index()]);
            }
            if let Some(op) = class.op() {
                reach.touch(&op);
            }
            reaches.all.push(reach);
        }
        reaches
    }

    fn nothing(&self, cells: usize) -> Reach {
        Reach {
            reads: Bits::sized(cells),
            writes: Bits::sized(cells),
            exclusive: Bits::sized(self.shared.len()),
            locks: Bits::sized(self.shared.len()),
            ..Reach::default()
        }
    }

    /// Takes down a class that was learnt, of what comes after `from`. Whether that is no more than what was known to come
    /// after `from`: else what was done at once may not have been local.
    pub(crate) fn learn(&mut self, classes: &Classes, from: ClassId, class: ClassId) -> bool {
        let before = &self.all[from.index()];
        let known = Reach {
            waits: before.waits_later,
            ..before.clone()
        };
        // What comes after it is not known yet: it may be all that comes after `from`.
        let mut reach = known.clone();
        let op = classes.get(class).op();
        if let Some(op) = op {
            reach.touch(&op);
        }
        let names = matches!(op, Some(Op::Spawn(_) | Op::Join(_)));
        let is_known = reach == known && !names;
        self.all.push(reach);
        is_known
    }

    fn others<'a>(
        &'a self,
        state: &'a State,
        cpu: usize,
    ) -> impl Iterator<Item = (&'a Reach, &'a crate::state::Cpu)> {
        let others = state.cpus.iter().enumerate();
        others
            .filter(move |(other, _)| *other != cpu)
            .map(|(_, other)| (self.from(other.at), other))
    }

    fn from(&self, class: ClassId) -> &Reach {
        &self.all[class.index()]
    }

    fn others_write(&self, state: &State, cpu: usize, cell: CellId) -> bool {
        self.others(state, cpu).any(|(reach, other)| {
            let waits = |p: &Pending| matches!(*p, Pending::Store(stored, _) if stored == cell);
            reach.writes.has(cell.index()) || other.buffer.iter().any(waits)
        })
    }

    fn others_touch(&self, state: &State, cpu: usize, cell: CellId) -> bool {
        let mut others = self.others(state, cpu);
        others.any(|(reach, _)| reach.reads.has(cell.index()))
            || self.others_write(state, cpu, cell)
    }

    /// Whether another CPU can still begin to wait for one of these.
    fn others_wait(&self, state: &State, cpu: usize, kinds: SectionSet) -> bool {
        self.others(state, cpu).any(|(reach, other)| {
            let waits = match other.phase {
                Phase::Waiting => reach.waits_later,
                Phase::Unstarted | Phase::Running => reach.waits,
            };
            !waits.is_apart_from(kinds)
        })
    }

    /// Whether another CPU can still enter or leave one of these.
    fn others_section(&self, state: &State, cpu: usize, kinds: SectionSet) -> bool {
        self.others(state, cpu).any(|(reach, other)| {
            let leaves = |p: &Pending| matches!(*p, Pending::Leave(kind) if kinds.has(kind));
            !reach.sections.is_apart_from(kinds) || other.buffer.iter().any(leaves)
        })
    }

    /// Whether a move that can happen is local.
    pub(crate) fn is_local(
        &self,
        machine: &Machine<'_>,
        (state, classes): (&State, &Classes),
        what: Move,
    ) -> bool {
        let cpu = what.cpu();
        if let Move::Flush(_) = what {
            return match state.cpus[cpu].buffer[0] {
                Pending::Store(cell, _) => !self.others_touch(state, cpu, cell),
                // Nobody who needs the lock can do anything before.
                Pending::Unlock(..) => true,
                Pending::Leave(kind) => !self.others_wait(state, cpu, SectionSet::one(kind)),
            };
        }
        let Some(op) = machine.asks(state, classes, cpu) else {
            return false;
        };
        match op {
            Op::Load { cell, .. } | Op::SpinUntil { cell, .. } | Op::Read { cell } => {
                !self.others_write(state, cpu, cell)
            }
            Op::Store { cell, .. } => machine.buffers || !self.others_touch(state, cpu, cell),
            Op::Write { cell, .. } | Op::Rmw { cell, .. } => !self.others_touch(state, cpu, cell),
            Op::Fence(FenceOrder::Acquire | FenceOrder::Release | FenceOrder::SeqCst)
            | Op::Unlock { .. }
            | Op::Spawn(_)
            | Op::Join(_) => true,
            Op::Lock { lock, mode } => !self.others(state, cpu).any(|(reach, _)| {
                if mode == LockMode::Shared && self.shared[lock.index()] {
                    reach.exclusive.has(lock.index())
                } else {
                    reach.locks.has(lock.index())
                }
            }),
            Op::Enter(kind) => !self.others_wait(state, cpu, SectionSet::one(kind)),
            Op::Leave(kind) => {
                machine.buffers || !self.others_wait(state, cpu, SectionSet::one(kind))
            }
            Op::Wait(_) if state.cpus[cpu].phase == Phase::Waiting => true,
            Op::Wait(kinds) => !self.others_section(state, cpu, kinds),
        }
    }
}
