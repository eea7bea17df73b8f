//! Sequential consistency by brute force: every interleaving, told apart by the states it passes through.
//!
//! A CPU is a function of the values that its operations return. So the state of a CPU is the list of
//! values it has been given; its next operation is found by running it again on that list and stopping
//! it at the operation that the list has no value for. Slow, and too simple to be wrong.
//!
//! A data race is two CPUs about to access the same plain cell, one of them to write it: what orders the
//! two in every interleaving counts as order, be it acquire and release or not.
//!
//! A plain access to the shadow of an atomic cell races with one to the same shadow in the same way, and with a CPU that is about
//! to access the cell itself, unless that is what an access to the shadow stands for. Where executions are left out by how
//! they end, a race is kept in mind until then.
//!
//! Who waits for a lock waits for its holder, and who spins on the word of one for whoever wrote it last. A circle of these is a
//! deadlock; without one, they wait in vain for one who has ended.
//!
//! A wait for sections is two moves: it begins, and takes note of the sections that others are in; once all of those
//! have been left, it may end.

use gupcheck_program::{
    Counterexample, Cut, End, Engine, Exploration, Model, Program, Returned, Search, Tally,
    Verdict, Violation,
};
use gupcheck_sync::{Backend, CellId, Fault, Lane, LaneId, LockMode, Op, SectionSet, Site};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The engine. Its executions are distinct final states, of memory and of what each CPU read.
pub(crate) struct BruteForce;

/// Unwinds a CPU at its next operation, or at a fault.
enum Halt {
    Next(Op),
    Fault(Fault),
}

struct Replay<'h> {
    given: &'h [u64],
    at: Cell<usize>,
}

impl Backend for Replay<'_> {
    fn perform(&self, _: LaneId, op: Op, _: Site) -> u64 {
        if matches!(op, Op::Fence(_)) {
            return 0;
        }
        let at = self.at.replace(self.at.get() + 1);
        match self.given.get(at) {
            Some(&value) => value,
            None => resume_unwind(Box::new(Halt::Next(op))),
        }
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        resume_unwind(Box::new(Halt::Fault(fault)))
    }
}

/// Where a CPU stands.
#[derive(Clone, Debug)]
enum Stand {
    Before(Op),
    Done(Returned),
    Broken(Fault),
}

fn stand(program: &Program, cpu: usize, given: &[u64]) -> Stand {
    let replay = Replay {
        given,
        at: Cell::new(0),
    };
    let lane = Lane::new(LaneId(cpu as u8), &replay);
    let decl = &program.cpus()[cpu];
    match catch_unwind(AssertUnwindSafe(|| decl.run(&lane))) {
        Ok(returned) => Stand::Done(returned),
        Err(payload) => match payload.downcast::<Halt>() {
            Ok(halt) => match *halt {
                Halt::Next(op) => Stand::Before(op),
                Halt::Fault(fault) => Stand::Broken(fault),
            },
            Err(panic) => resume_unwind(panic),
        },
    }
}

/// What tells one moment of an execution from another.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Moment {
    memory: Vec<u64>,
    holders: Vec<Option<usize>>,
    /// By CPU: the sections that it is in.
    inside: Vec<SectionSet>,
    /// By CPU, if a wait of it has begun: the sections of each CPU that it still waits for.
    awaited: Vec<Option<Vec<SectionSet>>>,
    given: Vec<Vec<u64>>,
    /// By cell: who wrote it last, where it is the word of a lock.
    writers: Vec<Option<usize>>,
    /// By CPU: the shadow that it has just accessed.
    shadowed: Vec<Option<CellId>>,
    /// The cell of a race, where that is kept in mind.
    raced: Option<CellId>,
}

impl Moment {
    fn first(program: &Program) -> Self {
        let cpus = program.cpus().len();
        Self {
            memory: program.layout().cells().iter().map(|c| c.init).collect(),
            holders: vec![None; program.layout().locks().len()],
            inside: vec![SectionSet::default(); cpus],
            awaited: vec![None; cpus],
            given: vec![Vec::new(); cpus],
            writers: vec![None; program.layout().cells().len()],
            shadowed: vec![None; cpus],
            raced: None,
        }
    }

    /// The moment after `cpu` has carried out `op`, if it can.
    fn after(&self, program: &Program, cpu: usize, op: Op) -> Option<Self> {
        let mut next = self.clone();
        let mut value = 0;
        next.shadowed[cpu] = (op.cell()).filter(|&cell| shadowed_by(program, cell).is_some());
        match op {
            Op::Lock { lock, mode } => {
                assert_eq!(
                    mode,
                    LockMode::Exclusive,
                    "litmus tests have spin locks only"
                );
                let holder = &mut next.holders[lock.index()];
                if holder.is_some() {
                    return None;
                }
                *holder = Some(cpu);
            }
            Op::Unlock { lock, .. } => {
                let holder = next.holders[lock.index()].take();
                assert_eq!(holder, Some(cpu), "a lock is dropped by whoever holds it");
            }
            Op::Enter(kind) => next.inside[cpu] = self.inside[cpu].with(kind),
            Op::Leave(kind) => {
                next.inside[cpu] = self.inside[cpu].without(kind);
                for awaited in next.awaited.iter_mut().flatten() {
                    awaited[cpu] = awaited[cpu].without(kind);
                }
            }
            Op::Wait(kinds) => match &self.awaited[cpu] {
                None => {
                    next.awaited[cpu] = Some(self.sections_of_others(cpu, kinds));
                    return Some(next);
                }
                Some(awaited) if awaited.iter().any(|set| *set != SectionSet::default()) => {
                    return None;
                }
                Some(_) => next.awaited[cpu] = None,
            },
            Op::Spawn(_) | Op::Join(_) => unreachable!("litmus tests start no CPUs"),
            Op::SpinUntil { cell, until, .. } => {
                value = self.memory[cell.index()];
                if !until.is_met_by(value) {
                    return None;
                }
            }
            _ => {
                if let Some(cell) = op.cell() {
                    let word = &mut next.memory[cell.index()];
                    value = if op.reads() { *word } else { 0 };
                    let written = op.written(*word);
                    *word = written.unwrap_or(*word);
                    if written.is_some() && program.is_lock_word(cell) {
                        next.writers[cell.index()] = Some(cpu);
                    }
                }
            }
        }
        next.given[cpu].push(value);
        Some(next)
    }

    /// The sections of these kinds that each other CPU is in.
    fn sections_of_others(&self, cpu: usize, kinds: SectionSet) -> Vec<SectionSet> {
        let mut sections = self.inside.clone();
        sections[cpu] = SectionSet::default();
        for set in &mut sections {
            set.0 &= kinds.0;
        }
        sections
    }
}

/// The cell that a shadow stands for.
fn shadowed_by(program: &Program, shadow: CellId) -> Option<CellId> {
    let mut shadows = program.shadows().iter();
    shadows.find_map(|&(known, of)| (known == shadow).then_some(of))
}

/// A fault that a CPU has run into, or a data race.
fn broken(program: &Program, moment: &Moment, stands: &[Stand]) -> Option<Violation> {
    let mut pending: HashMap<CellId, (bool, bool)> = HashMap::new();
    for (cpu, stand) in stands.iter().enumerate() {
        match *stand {
            Stand::Broken(fault) => return Some(Violation::Fault(fault)),
            Stand::Before(op @ (Op::Read { cell } | Op::Write { cell, .. })) => {
                let writes = matches!(op, Op::Write { .. });
                let of = shadowed_by(program, cell);
                let (met, written) = pending.entry(cell).or_default();
                let meets_another = |(other, stand): (usize, &Stand)| match (stand, of) {
                    (Stand::Before(op), Some(of)) => {
                        let is_its_own = moment.shadowed[other] == Some(cell);
                        let Some(word) = op.cell().filter(|&c| c == of && !is_its_own) else {
                            return false;
                        };
                        let now = moment.memory[word.index()];
                        other != cpu && (writes || op.written(now).is_some())
                    }
                    _ => false,
                };
                let meets_marked = stands.iter().enumerate().any(meets_another);
                if (*met && (writes || *written)) || meets_marked {
                    let cell = of.unwrap_or(cell);
                    return Some(Violation::DataRace { cell });
                }
                *met = true;
                *written |= writes;
            }
            Stand::Before(_) | Stand::Done(_) => {}
        }
    }
    None
}

/// Whether some of those who wait do so in a circle.
fn is_circle(program: &Program, moment: &Moment, waiting: &[(LaneId, Op)]) -> bool {
    let cpus = moment.given.len();
    let mut waits_for = vec![vec![false; cpus]; cpus];
    for &(lane, op) in waiting {
        let row = &mut waits_for[lane.index()];
        match op {
            Op::Lock { lock, .. } => {
                moment.holders[lock.index()].inspect(|&holder| row[holder] = true);
            }
            Op::SpinUntil { cell, .. } if program.is_lock_word(cell) => {
                moment.writers[cell.index()].inspect(|&writer| row[writer] = true);
            }
            Op::Wait(_) => {
                let awaited = moment.awaited[lane.index()].iter().flatten();
                for (row, set) in row.iter_mut().zip(awaited) {
                    *row |= *set != SectionSet::default();
                }
            }
            _ => {}
        }
    }
    for via in 0..cpus {
        for from in 0..cpus {
            for to in 0..cpus {
                waits_for[from][to] |= waits_for[from][via] && waits_for[via][to];
            }
        }
    }
    (0..cpus).any(|cpu| waits_for[cpu][cpu])
}

struct Explorer<'p> {
    program: &'p Program,
    tally: Tally,
    visited: HashSet<Moment>,
    limit: u64,
}

/// Why a search ends early.
enum Ending {
    Violation(Violation),
    Limit,
}

impl Explorer<'_> {
    fn search(&mut self) -> Result<(), Ending> {
        let first = Moment::first(self.program);
        let stands = (0..first.given.len())
            .map(|cpu| stand(self.program, cpu, &[]))
            .collect();
        let mut stack: Vec<(Moment, Vec<Stand>)> = vec![(first, stands)];
        while let Some((mut moment, stands)) = stack.pop() {
            match broken(self.program, &moment, &stands) {
                Some(Violation::DataRace { cell }) if !self.program.shadows().is_empty() => {
                    moment.raced = Some(cell);
                }
                Some(violation) => return Err(Ending::Violation(violation)),
                None => {}
            }
            let mut moved = false;
            for (cpu, stand_now) in stands.iter().enumerate() {
                let Stand::Before(op) = *stand_now else {
                    continue;
                };
                let Some(next) = moment.after(self.program, cpu, op) else {
                    continue;
                };
                moved = true;
                if self.visited.insert(next.clone()) {
                    let mut stands = stands.clone();
                    stands[cpu] = stand(self.program, cpu, &next.given[cpu]);
                    stack.push((next, stands));
                }
            }
            if !moved {
                self.ended(&moment, &stands)?;
            }
        }
        Ok(())
    }

    fn ended(&mut self, moment: &Moment, stands: &[Stand]) -> Result<(), Ending> {
        let mut returned = Vec::new();
        let mut waiting = Vec::new();
        for (cpu, stand) in stands.iter().enumerate() {
            match stand {
                Stand::Done(words) => returned.push(words.clone()),
                Stand::Before(op) => waiting.push((LaneId(cpu as u8), *op)),
                Stand::Broken(_) => unreachable!("found before"),
            }
        }
        if !waiting.is_empty() {
            if is_circle(self.program, moment, &waiting) {
                return Err(Ending::Violation(Violation::Deadlock { waiting }));
            }
            self.tally.record_blocked(waiting);
            return Ok(());
        }
        let memory = |cell: CellId| moment.memory[cell.index()];
        let end = End::new(&returned, &memory);
        (self.tally.record(self.program, &end)).map_err(Ending::Violation)?;
        if let Some(cell) = moment.raced
            && !self.program.leaves_out(&end)
        {
            return Err(Ending::Violation(Violation::DataRace { cell }));
        }
        if self.tally.executions == self.limit {
            return Err(Ending::Limit);
        }
        Ok(())
    }
}

impl Engine for BruteForce {
    fn name(&self) -> &'static str {
        "brute-force"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Sc]
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        let begun = Instant::now();
        let mut explorer = Explorer {
            program,
            tally: Tally::default(),
            visited: HashSet::new(),
            limit: search.limits.executions.unwrap_or(u64::MAX),
        };
        let verdict = match explorer.search() {
            Ok(()) => Verdict::Complete,
            Err(Ending::Limit) => Verdict::Truncated(Cut::Executions(explorer.limit)),
            Err(Ending::Violation(violation)) => Verdict::Failed(Box::new(Counterexample::bare(
                violation,
                explorer.tally.executions,
            ))),
        };
        Exploration {
            verdict,
            executions: explorer.tally.executions,
            states: None,
            blocked: explorer.tally.blocked,
            stuck: explorer.tally.stuck,
            outcomes: explorer.tally.outcomes,
            races: 0,
            estimate: None,
            elapsed: begun.elapsed(),
            remarks: Vec::new(),
        }
    }
}
