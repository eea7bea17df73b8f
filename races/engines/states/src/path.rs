//! The way to a violation, as choices of the graph engine.
//!
//! The moves that lead to a state are found by going back from state to state to the first, and made again. Twins were
//! exchanged on the way so as to be in order: who each was at first is kept beside.

use std::collections::HashMap;

use gupcheck_graph::SectionChoices;
use gupcheck_program::{Choice, Violation};
use gupcheck_sync::{CellId, CellKind, Op};
use gupcheck_tree::Classes;

use crate::known::{Halt, Known};
use crate::machine::{Machine, Move};
use crate::seen::{Origin, Seen};
use crate::state::{Phase, State};
use crate::walker::Found;

/// One thing that was done, by whom at first.
#[derive(Clone, Copy, Debug)]
enum Done {
    Began(usize, Op),
    Did(usize, Op),
    Flushed(usize),
}

/// A way to a violation.
pub(crate) struct Way<'k, 'p> {
    pub(crate) known: &'k Known<'p>,
    pub(crate) first: &'k State,
    /// The moves that were chosen, one after the other.
    pub(crate) chosen: Vec<Move>,
    /// Whether all local moves were made in between, and not only those that cost nothing and private ones.
    pub(crate) settles: bool,
}

impl Way<'_, '_> {
    /// The moves that lead to what a round found.
    pub(crate) fn chosen(seen: &Seen, found: &Found) -> Vec<Move> {
        let mut chosen: Vec<Move> = found.by.into_iter().collect();
        let mut at = found.from;
        while let Some(Origin { from, by, .. }) = at.map(|at| seen.origin(at)) {
            chosen.extend(by);
            at = from;
        }
        chosen.reverse();
        chosen
    }

    /// The way as choices.
    pub(crate) fn choices(&self, violation: &Violation) -> Vec<Choice> {
        let (mut done, state, names) = self.again();
        if let Violation::DataRace { .. } = violation {
            done.extend(self.racing(&state, &names, &done));
        }
        choices(&self.known.machine, &done)
    }

    /// The accesses of two CPUs that race, neither of which has been made: first that of whoever was the last to do
    /// something, if it is one of them.
    fn racing(&self, state: &State, names: &[u8], done: &[Done]) -> Vec<Done> {
        let last = done.iter().rev().find_map(|done| match *done {
            Done::Did(name, _) => Some(name),
            Done::Began(..) | Done::Flushed(_) => None,
        });
        let last = last.and_then(|last| names.iter().position(|&name| usize::from(name) == last));
        let Some((one, other)) = self.known.racing(state, last) else {
            return Vec::new();
        };
        [one, other]
            .map(|cpu| of(&self.known.classes, state, Move::Act(cpu), names))
            .to_vec()
    }

    /// Makes a move, and what is made with it.
    fn make(
        &self,
        state: &mut State,
        what: Option<Move>,
        made: &mut dyn FnMut(&State, Move),
    ) -> Result<(), Halt> {
        if !self.settles {
            return what.map_or(Ok(()), |what| self.known.run(state, what, &mut 0, made));
        }
        if let Some(what) = what {
            made(state, what);
            self.known.take(state, what)?;
        }
        (self.known).settle(state, (&mut 0, u32::MAX), &mut 0, made)
    }

    /// Makes the moves again, from the first state: what was done, where that leads, and who each CPU was at first.
    fn again(&self) -> (Vec<Done>, State, Vec<u8>) {
        let Known { classes, twins, .. } = self.known;
        let mut state = self.first.clone();
        let mut names: Vec<u8> = (0..state.cpus.len() as u8).collect();
        let mut done = Vec::new();
        if self.known.wrong_somewhere(&state).is_some() {
            return (done, state, names);
        }
        for what in std::iter::once(None).chain(self.chosen.iter().copied().map(Some)) {
            let made = &mut |state: &State, what| done.push(of(classes, state, what, &names));
            if self.make(&mut state, what, made).is_err() {
                break;
            }
            twins.sort(&mut state, Some(&mut names));
        }
        (done, state, names)
    }
}

fn of(classes: &Classes, state: &State, what: Move, names: &[u8]) -> Done {
    let cpu = what.cpu();
    let name = usize::from(names[cpu]);
    match what {
        Move::Flush(_) => Done::Flushed(name),
        Move::Act(_) => {
            let op = classes.get(state.cpus[cpu].at).op().expect("it acts");
            if matches!(op, Op::Wait(_)) && state.cpus[cpu].phase == Phase::Running {
                Done::Began(name, op)
            } else {
                Done::Did(name, op)
            }
        }
    }
}

/// A write: its cell and which of that cell's it is, in the order in which they were made.
#[derive(Clone, Copy, Debug)]
struct Write {
    cell: CellId,
    nth: usize,
    value: u64,
}

/// What the writes of a cell have come to.
#[derive(Clone, Debug, Default)]
struct Cell {
    /// For each write, in the order in which they were made, its place in coherence order, once it is in memory.
    places: Vec<Option<usize>>,
    /// How many are in memory.
    reached: usize,
    /// The write that is in memory now, and its value.
    last: Option<usize>,
    value: Option<u64>,
}

/// What a CPU read: from which of the cell's writes, if not its first value.
struct Read {
    cell: CellId,
    from: Option<usize>,
}

/// An operation, and what has to be known of it once all writes have reached memory.
struct Step {
    lane: usize,
    back: Back,
}

enum Back {
    Nothing,
    Known(u32),
    /// It reads, and does not write.
    Reads(Read, usize),
    /// It writes, and this many writes of the cell had been made before.
    Writes(Write),
}

/// Memory and buffers, with names for writes.
struct Replay<'m, 'p> {
    machine: &'m Machine<'p>,
    cells: HashMap<CellId, Cell>,
    buffers: Vec<Vec<Option<Write>>>,
}

impl Replay<'_, '_> {
    fn init(&self, cell: CellId) -> u64 {
        self.machine.program.layout().decl(cell).init
    }

    /// What a CPU reads now.
    fn read(&mut self, lane: usize, cell: CellId) -> (Option<usize>, u64) {
        let own = self.buffers[lane].iter().rev().flatten();
        if let Some(own) = own.into_iter().find(|write| write.cell == cell) {
            return (Some(own.nth), own.value);
        }
        let init = self.init(cell);
        let now = self.cells.entry(cell).or_default();
        (now.last, now.value.unwrap_or(init))
    }

    fn issue(&mut self, cell: CellId, value: u64) -> Write {
        let all = self.cells.entry(cell).or_default();
        all.places.push(None);
        let nth = all.places.len() - 1;
        Write { cell, nth, value }
    }

    fn reach(&mut self, write: Write) {
        let all = self.cells.entry(write.cell).or_default();
        all.places[write.nth] = Some(all.reached);
        all.reached += 1;
        all.last = Some(write.nth);
        all.value = Some(write.value);
    }

    fn flush(&mut self, lane: usize) {
        if let Some(write) = self.buffers[lane].remove(0) {
            self.reach(write);
        }
    }

    fn put(&mut self, lane: usize, write: Option<Write>) {
        if self.machine.buffers {
            self.buffers[lane].push(write);
        } else if let Some(write) = write {
            self.reach(write);
        }
    }

    /// How many writes that were made before come, in coherence order, after this one.
    fn newer(&self, cell: CellId, from: Option<usize>, before: usize) -> u32 {
        let Some(all) = self.cells.get(&cell) else {
            return 0;
        };
        let place = |nth: usize| all.places[nth].expect("all have reached memory");
        let after = |nth: &usize| from.is_none_or(|from| place(*nth) > place(from));
        (0..before).filter(after).count() as u32
    }
}

fn choices(machine: &Machine<'_>, done: &[Done]) -> Vec<Choice> {
    let cpus = machine.program.cpus().len();
    let mut replay = Replay {
        machine,
        cells: HashMap::new(),
        buffers: vec![Vec::new(); cpus],
    };
    let mut waits = Waits {
        begun: vec![Vec::new(); cpus],
        sections: SectionChoices::default(),
    };
    let mut steps = Vec::new();
    for &done in done {
        match done {
            Done::Began(lane, op) => waits.begun[lane].push(op),
            Done::Flushed(lane) => replay.flush(lane),
            Done::Did(lane, op) => {
                let back = did(&mut replay, &mut waits, lane, op);
                steps.push(Step { lane, back });
            }
        }
    }
    for lane in 0..cpus {
        while !replay.buffers[lane].is_empty() {
            replay.flush(lane);
        }
    }
    (steps.iter())
        .map(|step| Choice {
            lane: step.lane as u8,
            back: match &step.back {
                Back::Nothing => 0,
                Back::Known(back) => *back,
                Back::Reads(read, before) => replay.newer(read.cell, read.from, *before),
                Back::Writes(write) => replay.newer(write.cell, Some(write.nth), write.nth),
            },
        })
        .collect()
}

/// The waits of each CPU that have begun.
struct Waits {
    begun: Vec<Vec<Op>>,
    sections: SectionChoices,
}

fn did(replay: &mut Replay<'_, '_>, waits: &mut Waits, lane: usize, op: Op) -> Back {
    let is_plain = |cell| replay.machine.program.layout().decl(cell).kind != CellKind::Atomic;
    match op {
        Op::Store { cell, value, .. } | Op::Write { cell, value } => {
            let plain = is_plain(cell);
            let write = replay.issue(cell, value);
            replay.put(lane, Some(write));
            if plain {
                Back::Nothing
            } else {
                Back::Writes(write)
            }
        }
        Op::Rmw { cell, rmw, .. } => {
            let before = replay.cells.get(&cell).map_or(0, |all| all.places.len());
            let (from, value) = replay.read(lane, cell);
            if let Some(new) = rmw.apply(value) {
                let write = replay.issue(cell, new);
                replay.reach(write);
            }
            Back::Reads(Read { cell, from }, before)
        }
        Op::Load { cell, .. } | Op::SpinUntil { cell, .. } => {
            let before = replay.cells.get(&cell).map_or(0, |all| all.places.len());
            let (from, _) = replay.read(lane, cell);
            Back::Reads(Read { cell, from }, before)
        }
        Op::Unlock { .. } | Op::Leave(_) => {
            replay.put(lane, None);
            Back::Nothing
        }
        Op::Enter(kind) => {
            let last = |begun: &Vec<Op>| {
                let such = begun.iter().rposition(|wait| wait.sections().has(kind));
                such.map_or(0, |nth| nth + 1)
            };
            let seen: Vec<usize> = (waits.begun.iter().enumerate())
                .map(|(waiter, begun)| if waiter == lane { 0 } else { last(begun) })
                .collect();
            Back::Known(waits.sections.enter(lane, &seen))
        }
        Op::Wait(_) => {
            waits.sections.end(lane, waits.begun[lane].len());
            Back::Nothing
        }
        Op::Read { .. } | Op::Fence(_) | Op::Lock { .. } | Op::Spawn(_) | Op::Join(_) => {
            Back::Nothing
        }
    }
}
