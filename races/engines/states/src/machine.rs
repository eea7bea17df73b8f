//! A machine of CPUs with one memory, and under TSO with a store buffer each: what can happen in a state, and what
//! comes of it.
//!
//! # The rules
//!
//! * Under SC every operation happens at once. Under TSO a store, the dropping of a lock and the leaving of a section
//!   go into their CPU's store buffer and reach the others later, in order; a CPU reads its own stores.
//! * An atomic update, an SC fence, the taking of a lock, spawning, joining, and a wait's beginning happen only when the
//!   CPU's own buffer is empty. An update that would look first and refuse (`atomic_add_unless`) is no more than
//!   a load then.
//! * A wait begins by taking down which sections of other CPUs have not been seen to be left, and may end when all
//!   of these have. What is entered later is not waited for.
//! * Whoever joins a CPU finds its buffer empty.
//!
//! These are the machines that [`gupcheck_graph`]'s axioms for SC and TSO describe; `tests/` compares the two.

use gupcheck_program::witness::Windows;
use gupcheck_program::{Program, Start, Violation};
use gupcheck_sync::{CellId, FenceOrder, LockId, LockMode, Op, Rmw};
use gupcheck_tree::{Classes, Forest, What};
use smallvec::SmallVec;

use crate::state::{Cpu, Owed, Pending, Phase, State};

/// One thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Move {
    /// A CPU does what it asks for: begins it, where that is a wait that has not begun.
    Act(usize),
    /// The oldest entry of a CPU's store buffer reaches the others.
    Flush(usize),
}

impl Move {
    pub(crate) const fn cpu(self) -> usize {
        match self {
            Self::Act(cpu) | Self::Flush(cpu) => cpu,
        }
    }

    /// As a byte.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Act(cpu) => cpu as u8 * 2,
            Self::Flush(cpu) => cpu as u8 * 2 + 1,
        }
    }

    /// The move that a byte is.
    pub(crate) const fn of_code(code: u8) -> Self {
        let cpu = code as usize / 2;
        if code.is_multiple_of(2) {
            Self::Act(cpu)
        } else {
            Self::Flush(cpu)
        }
    }
}

/// What acting came to.
pub(crate) enum Acted {
    /// The CPU goes on with this answer.
    Answer(u64),
    /// It stays where it is: its wait has begun.
    Began,
    /// It does what nobody may.
    Wrong(Violation),
}

/// The rules for one program.
#[derive(Clone, Copy)]
pub(crate) struct Machine<'p> {
    pub(crate) program: &'p Program,
    /// Whether CPUs have store buffers.
    pub(crate) buffers: bool,
    /// The CPUs that take part, a bit each; the others never do anything.
    pub(crate) present: u32,
}

impl Machine<'_> {
    /// The state in which a program begins.
    pub(crate) fn first(&self, forest: &Forest, classes: &Classes) -> State {
        let cpus = self
            .program
            .cpus()
            .iter()
            .enumerate()
            .map(|(lane, decl)| Cpu {
                at: classes.class_of(forest.root(lane)),
                phase: match decl.start {
                    Start::AtOnce => Phase::Running,
                    Start::Spawned => Phase::Unstarted,
                },
                buffer: SmallVec::new(),
                windows: Windows::default(),
            });
        State::first(self.program.layout(), cpus)
    }

    /// What a CPU asks for, if it has been started and has not ended.
    #[allow(clippy::unused_self, reason = "it is a question to the machine")]
    pub(crate) fn asks(&self, state: &State, classes: &Classes, cpu: usize) -> Option<Op> {
        let cpu = &state.cpus[cpu];
        match cpu.phase {
            Phase::Unstarted => None,
            Phase::Running | Phase::Waiting => classes.get(cpu.at).op(),
        }
    }

    /// Whether a CPU takes part.
    pub(crate) const fn is_present(&self, cpu: usize) -> bool {
        self.present >> cpu & 1 == 1
    }

    /// Whether all CPUs take part.
    pub(crate) fn is_whole(&self) -> bool {
        (0..self.program.cpus().len()).all(|cpu| self.is_present(cpu))
    }

    /// Everything that can happen in a state.
    pub(crate) fn moves(&self, state: &State, classes: &Classes) -> SmallVec<[Move; 16]> {
        let mut moves = SmallVec::new();
        for cpu in (0..state.cpus.len()).filter(|&cpu| self.is_present(cpu)) {
            if self.can_act(state, classes, cpu) {
                moves.push(Move::Act(cpu));
            }
            if !state.cpus[cpu].buffer.is_empty() {
                moves.push(Move::Flush(cpu));
            }
        }
        moves
    }

    /// Whether a CPU can do what it asks for.
    pub(crate) fn can_act(&self, state: &State, classes: &Classes, cpu: usize) -> bool {
        let Some(op) = self.asks(state, classes, cpu) else {
            return false;
        };
        let drained = state.cpus[cpu].buffer.is_empty();
        match op {
            Op::Load { .. }
            | Op::Store { .. }
            | Op::Read { .. }
            | Op::Write { .. }
            | Op::Unlock { .. }
            | Op::Enter(_)
            | Op::Leave(_)
            | Op::Fence(FenceOrder::Acquire | FenceOrder::Release) => true,
            Op::Rmw { cell, rmw, .. } => drained || is_only_a_load(rmw, state.read(cpu, cell)),
            Op::Lock { lock, mode } => {
                drained && self.keepers(state, classes, cpu, lock, mode) == 0
            }
            Op::SpinUntil { cell, until, .. } => until.is_met_by(state.read(cpu, cell)),
            Op::Wait(_) if state.cpus[cpu].phase == Phase::Waiting => !state
                .owed
                .iter()
                .any(|owed| usize::from(owed.waiter) == cpu),
            Op::Fence(FenceOrder::SeqCst) | Op::Spawn(_) | Op::Wait(_) => drained,
            Op::Join(other) => {
                let other = &state.cpus[other.index()];
                let ended = matches!(classes.get(other.at).what, What::Returned(_));
                drained && ended && other.phase == Phase::Running && other.buffer.is_empty()
            }
        }
    }

    /// The CPUs, a bit each, that hold a lock so that `cpu` cannot take it.
    pub(crate) fn keepers(
        &self,
        state: &State,
        classes: &Classes,
        cpu: usize,
        lock: LockId,
        mode: LockMode,
    ) -> u32 {
        let is_shared = self.program.layout().locks()[lock.index()].is_shared;
        let mut keepers = 0;
        for (other, held) in state.cpus.iter().enumerate() {
            if held.phase == Phase::Unstarted {
                continue;
            }
            let account = &classes.get(held.at).held;
            let pending = |mode: LockMode| {
                let dropped = Pending::Unlock(lock, mode.into());
                held.buffer.contains(&dropped)
            };
            let exclusive = account.has(lock, LockMode::Exclusive) || pending(LockMode::Exclusive);
            let shared = account.has(lock, LockMode::Shared) || pending(LockMode::Shared);
            let lets_in = mode == LockMode::Shared && (is_shared || other == cpu);
            if exclusive || shared && !lets_in {
                keepers |= 1 << other;
            }
        }
        keepers
    }

    /// Lets a CPU do what it asks for and can do.
    pub(crate) fn act(&self, state: &mut State, classes: &Classes, cpu: usize) -> Acted {
        let class = classes.get(state.cpus[cpu].at);
        let op = class.op().expect("it can act");
        let read = op.cell().map_or(0, |cell| state.read(cpu, cell));
        match op {
            Op::Store { cell, value, .. } | Op::Write { cell, value } => {
                self.put(state, cpu, Pending::Store(cell, value));
            }
            Op::Rmw { cell, rmw, .. } => {
                if let Some(value) = rmw.apply(read) {
                    state.write(self.program.layout(), cell, value);
                }
            }
            Op::Unlock { lock, mode } => {
                if !class.held.has(lock, mode) {
                    let name = self.program.layout().locks()[lock.index()].name;
                    return wrong(format!("CPU {cpu} drops {name}, which it does not hold so"));
                }
                self.put(state, cpu, Pending::Unlock(lock, mode.into()));
            }
            Op::Enter(kind) if class.held.sections.has(kind) => {
                return wrong(format!("CPU {cpu} enters a section that it is in"));
            }
            Op::Leave(kind) => {
                if !class.held.sections.has(kind) {
                    return wrong(format!("CPU {cpu} leaves a section that it is not in"));
                }
                self.put(state, cpu, Pending::Leave(kind));
            }
            Op::Wait(_) if state.cpus[cpu].phase == Phase::Running => {
                self.begin_wait(state, classes, cpu, op);
                return Acted::Began;
            }
            Op::Wait(_) => state.cpus[cpu].phase = Phase::Running,
            Op::Spawn(other) => {
                let other = &mut state.cpus[other.index()];
                if other.phase != Phase::Unstarted {
                    return wrong("a CPU is started twice".to_owned());
                }
                other.phase = Phase::Running;
            }
            Op::Load { .. }
            | Op::Read { .. }
            | Op::SpinUntil { .. }
            | Op::Fence(_)
            | Op::Lock { .. }
            | Op::Enter(_)
            | Op::Join(_) => {}
        }
        Acted::Answer(op.answer(read))
    }

    #[allow(clippy::unused_self, reason = "it is a move of the machine")]
    fn begin_wait(&self, state: &mut State, classes: &Classes, cpu: usize, op: Op) {
        for other in (0..state.cpus.len()).filter(|&other| other != cpu) {
            for kind in op.sections().iter() {
                let count = sections_open(state, classes, other, kind);
                if count > 0 {
                    state.owed.push(Owed {
                        waiter: cpu as u8,
                        by: other as u8,
                        kind,
                        count,
                    });
                }
            }
        }
        state.owed.sort_unstable();
        state.cpus[cpu].phase = Phase::Waiting;
    }

    fn put(&self, state: &mut State, cpu: usize, pending: Pending) {
        if self.buffers {
            state.cpus[cpu].buffer.push(pending);
        } else {
            self.reach(state, cpu, pending);
        }
    }

    /// The oldest entry of a CPU's buffer reaches the others.
    pub(crate) fn flush(&self, state: &mut State, cpu: usize) {
        let pending = state.cpus[cpu].buffer.remove(0);
        self.reach(state, cpu, pending);
    }

    fn reach(&self, state: &mut State, cpu: usize, pending: Pending) {
        match pending {
            Pending::Store(cell, value) => state.write(self.program.layout(), cell, value),
            Pending::Unlock(..) => {}
            Pending::Leave(kind) => {
                for owed in &mut state.owed {
                    if usize::from(owed.by) == cpu && owed.kind == kind {
                        owed.count -= 1;
                    }
                }
                state.owed.retain(|owed| owed.count > 0);
            }
        }
    }

    /// The cell for which a CPU races with another one.
    pub(crate) fn race(&self, state: &State, classes: &Classes, cpu: usize) -> Option<CellId> {
        let mut others = (0..state.cpus.len()).filter(|&other| other != cpu);
        others.find_map(|other| self.do_race(state, classes, cpu, other))
    }

    /// The cell for which two CPUs race: each is about to access it, one of them to write it, and it is plain.
    pub(crate) fn do_race(
        &self,
        state: &State,
        classes: &Classes,
        one: usize,
        other: usize,
    ) -> Option<CellId> {
        let plain = |cpu| match self.asks(state, classes, cpu) {
            Some(Op::Read { cell }) => Some((cell, false)),
            Some(Op::Write { cell, .. }) => Some((cell, true)),
            _ => None,
        };
        let ((cell, writes), (same, also)) = (plain(one)?, plain(other)?);
        (cell == same && (writes || also)).then_some(cell)
    }
}

/// How many sections of a kind a CPU has entered that others have not seen it leave.
pub(crate) fn sections_open(
    state: &State,
    classes: &Classes,
    cpu: usize,
    kind: gupcheck_sync::SectionId,
) -> u8 {
    let cpu = &state.cpus[cpu];
    if cpu.phase == Phase::Unstarted {
        return 0;
    }
    let left = cpu.buffer.iter().filter(|&&p| p == Pending::Leave(kind));
    u8::from(classes.get(cpu.at).held.sections.has(kind)) + left.count() as u8
}

/// Whether an update that finds this value is a load, and needs no empty buffer.
pub(crate) fn is_only_a_load(rmw: Rmw, read: u64) -> bool {
    rmw.is_conditional() && !rmw.is_carried_out_when_refused() && rmw.apply(read).is_none()
}

fn wrong(message: String) -> Acted {
    Acted::Wrong(Violation::Panic { message })
}
