//! What a CPU can still touch, from each class on; and which moves nobody else can tell the time of.
//!
//! A move is *local* if no other CPU, before this one moves again, can do anything that it does not commute with. Then it
//! may be done at once: whatever others do meanwhile, they may as well do after it. No execution is lost by that but for
//! the order of what commutes: no final state, no deadlock, and no state in which two CPUs are about to race,
//! because an access that somebody could race with is not local. There is no danger of putting somebody off for
//! ever: programs end.
//!
//! # Locks
//!
//! Others do not get past a lock that this CPU holds until it drops it, which is a move of this CPU. So what they
//! touch only behind that lock they do not touch meanwhile. Hence there is a table of what can be touched from a class
//! on for each lock: *before* that lock is taken, exclusively or at all. A lock that was dropped is kept as long as that
//! waits in the store buffer: so, for what waits before it there, it bars others, too.
//!
//! Neither a flush nor anything else that this CPU can do in between changes that: a flush of what came before the move, as
//! the CPU still holds the lock then; nor an operation before a flush, as it drops no lock that others would see dropped.

use gupcheck_program::Program;
use gupcheck_sync::{CellId, FenceOrder, LockId, LockMode, Op, SectionSet};
use gupcheck_tree::{ClassId, Classes};
use smallvec::SmallVec;

use crate::machine::{Machine, Move};
use crate::state::{Cpu, LockModeOrd, Pending, Phase, State};

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

/// What others cannot do meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Barred {
    Nothing,
    /// Taking this lock.
    All(LockId),
    /// Taking this lock exclusively.
    Exclusive(LockId),
}

impl Barred {
    fn stops(self, op: &Op) -> bool {
        match (self, *op) {
            (Self::All(barred), Op::Lock { lock, .. }) => lock == barred,
            (Self::Exclusive(barred), Op::Lock { lock, mode }) => {
                lock == barred && mode == LockMode::Exclusive
            }
            _ => false,
        }
    }

    /// Its place among all that may be barred.
    const fn index(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::All(lock) => 1 + 2 * lock.index(),
            Self::Exclusive(lock) => 2 + 2 * lock.index(),
        }
    }
}

/// What can still be touched from each class on.
#[derive(Debug, Default)]
pub(crate) struct Reaches {
    /// By what is barred meanwhile, by [index](Barred::index); then by class.
    all: Vec<Vec<Reach>>,
    shared: Vec<bool>,
    present: u32,
}

impl Reaches {
    pub(crate) fn of(machine: &Machine<'_>, classes: &Classes) -> Self {
        let layout = machine.program.layout();
        let mut reaches = Self {
            present: machine.present,
            all: Vec::new(),
            shared: layout.locks().iter().map(|lock| lock.is_shared).collect(),
        };
        for barred in reaches.bars() {
            let mut all: Vec<Reach> = Vec::with_capacity(classes.all().len());
            for class in classes.all() {
                let mut reach = reaches.nothing(layout.cells().len());
                let op = class.op().filter(|op| !barred.stops(op));
                if let Some(op) = op {
                    for edge in &class.edges {
                        reach.join(&all[edge.to.index()]);
                    }
                    reach.touch(&op);
                }
                all.push(reach);
            }
            reaches.all.push(all);
        }
        reaches
    }

    /// All that may be barred, in the order of their indices.
    fn bars(&self) -> Vec<Barred> {
        let locks = (0..self.shared.len()).map(|lock| LockId(lock as u32));
        let of_lock = |lock| [Barred::All(lock), Barred::Exclusive(lock)];
        (std::iter::once(Barred::Nothing))
            .chain(locks.flat_map(of_lock))
            .collect()
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
        let op = classes.get(class).op();
        let mut is_known = !matches!(op, Some(Op::Spawn(_) | Op::Join(_)));
        for barred in self.bars() {
            let all = &mut self.all[barred.index()];
            // Behind what is barred, whatever is known at all.
            let is_behind = (classes.get(from).op()).is_some_and(|op| barred.stops(&op));
            let before = if is_behind {
                &self.all[0][from.index()]
            } else {
                &all[from.index()]
            };
            let known = Reach {
                waits: before.waits_later,
                ..before.clone()
            };
            // What comes after it is not known yet: it may be all that comes after `from`.
            let mut reach = known.clone();
            if let Some(op) = op.filter(|op| !barred.stops(op)) {
                reach.touch(&op);
            }
            is_known &= is_behind || reach == known;
            self.all[barred.index()].push(reach);
        }
        is_known
    }

    /// What a CPU bars others from as long as it does not do what is asked about: by the locks that it holds, and by those that
    /// it has dropped, where its buffer has not said so before.
    fn barred_by(&self, state: &State, classes: &Classes, what: Move) -> SmallVec<[Barred; 8]> {
        let cpu = &state.cpus[what.cpu()];
        let bar = |lock: LockId, is_exclusive: bool| {
            if is_exclusive || !self.shared[lock.index()] {
                Barred::All(lock)
            } else {
                Barred::Exclusive(lock)
            }
        };
        let held = &classes.get(cpu.at).held.locks;
        let mut barred: SmallVec<[Barred; 8]> = held
            .iter()
            .map(|&(lock, exclusive)| bar(lock, exclusive))
            .collect();
        if let Move::Flush(_) = what {
            barred.extend(
                cpu.buffer
                    .iter()
                    .skip(1)
                    .filter_map(|pending| match *pending {
                        Pending::Unlock(lock, mode) => {
                            Some(bar(lock, mode == LockModeOrd::Exclusive))
                        }
                        Pending::Store(..) | Pending::Leave(_) => None,
                    }),
            );
        }
        barred
    }

    /// Whether something holds of another CPU that takes part, by what it can still touch before the CPU of a move makes that
    /// move.
    fn any_other(
        &self,
        (state, classes): (&State, &Classes),
        what: Move,
        holds: impl Fn(&Reach, &Cpu) -> bool,
    ) -> bool {
        let takes_part = |other: usize| other != what.cpu() && self.present >> other & 1 == 1;
        let mut barred = None;
        (state.cpus.iter().enumerate()).any(|(nth, other)| {
            let by = |barred: Barred| holds(&self.all[barred.index()][other.at.index()], other);
            takes_part(nth) && by(Barred::Nothing) && {
                let barred = barred.get_or_insert_with(|| self.barred_by(state, classes, what));
                barred.iter().all(|&barred| by(barred))
            }
        })
    }

    fn others_write(&self, view: (&State, &Classes), what: Move, cell: CellId) -> bool {
        self.any_other(view, what, |reach, other| {
            let waits = |p: &Pending| matches!(*p, Pending::Store(stored, _) if stored == cell);
            reach.writes.has(cell.index()) || other.buffer.iter().any(waits)
        })
    }

    fn others_touch(&self, view: (&State, &Classes), what: Move, cell: CellId) -> bool {
        self.any_other(view, what, |reach, _| reach.reads.has(cell.index()))
            || self.others_write(view, what, cell)
    }

    /// Whether another CPU can still write what a [witness](Program::witness) looks at.
    pub(crate) fn others_show(
        &self,
        view: (&State, &Classes),
        what: Move,
        program: &Program,
    ) -> bool {
        let shown = program.witnessed().map_or(&[][..], |w| w.shown());
        let is_shown = |cell: CellId| shown.contains(&cell);
        self.any_other(view, what, |reach, other| {
            let waits = |p: &Pending| matches!(*p, Pending::Store(cell, _) if is_shown(cell));
            shown.iter().any(|cell| reach.writes.has(cell.index()))
                || other.buffer.iter().any(waits)
        })
    }

    /// Whether another CPU can still begin to wait for one of these.
    fn others_wait(&self, view: (&State, &Classes), what: Move, kinds: SectionSet) -> bool {
        self.any_other(view, what, |reach, other| {
            let waits = match other.phase {
                Phase::Waiting => reach.waits_later,
                Phase::Unstarted | Phase::Running => reach.waits,
            };
            !waits.is_apart_from(kinds)
        })
    }

    /// Whether another CPU can still enter or leave one of these.
    fn others_section(&self, view: (&State, &Classes), what: Move, kinds: SectionSet) -> bool {
        self.any_other(view, what, |reach, other| {
            let leaves = |p: &Pending| matches!(*p, Pending::Leave(kind) if kinds.has(kind));
            !reach.sections.is_apart_from(kinds) || other.buffer.iter().any(leaves)
        })
    }

    /// Whether a move that can happen is local, as far as anything is read.
    pub(crate) fn is_local(
        &self,
        machine: &Machine<'_>,
        view @ (state, classes): (&State, &Classes),
        what: Move,
    ) -> bool {
        let cpu = what.cpu();
        if let Move::Flush(_) = what {
            return match state.cpus[cpu].buffer[0] {
                Pending::Store(cell, _) => !self.others_touch(view, what, cell),
                // Nobody who needs the lock can do anything before.
                Pending::Unlock(..) => true,
                Pending::Leave(kind) => !self.others_wait(view, what, SectionSet::one(kind)),
            };
        }
        let Some(op) = machine.asks(state, classes, cpu) else {
            return false;
        };
        match op {
            Op::Load { cell, .. } | Op::SpinUntil { cell, .. } | Op::Read { cell } => {
                !self.others_write(view, what, cell)
            }
            Op::Store { cell, .. } => machine.buffers || !self.others_touch(view, what, cell),
            Op::Write { cell, .. } | Op::Rmw { cell, .. } => !self.others_touch(view, what, cell),
            Op::Fence(FenceOrder::Acquire | FenceOrder::Release | FenceOrder::SeqCst)
            | Op::Unlock { .. }
            | Op::Spawn(_)
            | Op::Join(_) => true,
            Op::Lock { lock, mode } => !self.any_other(view, what, |reach, _| {
                if mode == LockMode::Shared && self.shared[lock.index()] {
                    reach.exclusive.has(lock.index())
                } else {
                    reach.locks.has(lock.index())
                }
            }),
            Op::Enter(kind) => !self.others_wait(view, what, SectionSet::one(kind)),
            Op::Leave(kind) => {
                machine.buffers || !self.others_wait(view, what, SectionSet::one(kind))
            }
            Op::Wait(_) if state.cpus[cpu].phase == Phase::Waiting => true,
            Op::Wait(kinds) => !self.others_section(view, what, kinds),
        }
    }

    /// Whether an operation that can be done is *private*: local, and none that lets others do what they could not do
    /// before.
    pub(crate) fn is_private(
        &self,
        machine: &Machine<'_>,
        view @ (state, classes): (&State, &Classes),
        what: Move,
    ) -> bool {
        let Move::Act(cpu) = what else {
            return false;
        };
        let shows = match machine.asks(state, classes, cpu) {
            // It may be seen once it has left the buffer.
            Some(Op::Store { cell, .. } | Op::Write { cell, .. }) => {
                self.others_touch(view, what, cell)
            }
            Some(Op::Unlock { .. } | Op::Leave(_) | Op::Spawn(_)) | None => true,
            Some(_) => false,
        };
        !shows && self.is_local(machine, view, what)
    }

    /// For tests: as if nobody did anything while somebody holds a lock, whichever.
    #[cfg(test)]
    pub(crate) fn believe_in_any_lock(&mut self, cells: usize) {
        let nothing = self.nothing(cells);
        for all in &mut self.all[1..] {
            all.fill(nothing.clone());
        }
    }
}
