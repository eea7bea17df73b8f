//! What is known of the code, and what follows from it: how a state goes on.
//!
//! While states are explored nothing here changes, so threads share it. Where a state goes on with an answer that is not
//! known, whoever explores is told, and has it [learnt](Known::learn) when nobody explores.

use gupcheck_program::{End, Program, Returned, Tally, Violation, panics};
use gupcheck_sync::{LaneId, Op};
use gupcheck_tree::{ClassId, Classes, Forest, MOST_OPERATIONS, What};

use crate::claims::Claims;
use crate::machine::{Acted, Machine, Move};
use crate::reach::Reaches;
use crate::state::{Phase, State};
use crate::twins::Twins;

/// So many operations a CPU is run on by itself, where it comes to code that nobody has run. Code that waits for others in
/// a loop of its own does not come to its end.
const MOST_ALONE: u32 = 500;

/// Why a state does not go on.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    /// The operation breaks a rule.
    Broken(Violation),
    /// This CPU has got an answer that is not known of its class. All the rest has been done.
    Unknown { cpu: usize, answer: u64 },
}

/// What is known.
pub(crate) struct Known<'p> {
    pub(crate) machine: Machine<'p>,
    pub(crate) classes: Classes,
    reaches: Reaches,
    claims: Claims,
    pub(crate) twins: Twins,
    exchanges: Vec<Vec<usize>>,
}

impl<'p> Known<'p> {
    pub(crate) fn of(machine: Machine<'p>, forest: &Forest) -> Self {
        let classes = Classes::of(forest);
        let twins = if machine.is_whole() {
            Twins::of(machine.program, forest, &classes)
        } else {
            Twins::default()
        };
        Self {
            reaches: Reaches::of(&machine, &classes),
            claims: Claims::of(machine.program, &classes),
            exchanges: twins.exchanges(machine.program.cpus().len()),
            machine,
            classes,
            twins,
        }
    }

    /// Makes all local moves, one after the other, but none once more than `most` operations lead to the state. Counts
    /// operations in `steps`, and moves in `moves`; `made` is told of each before it is made.
    pub(crate) fn settle(
        &self,
        state: &mut State,
        (steps, most): (&mut u32, u32),
        moves: &mut u64,
        made: &mut dyn FnMut(&State, Move),
    ) -> Result<(), Halt> {
        while *steps < most
            && let Some(what) = self.local(state)
        {
            made(state, what);
            *moves += 1;
            *steps += self.take(state, what)?;
        }
        Ok(())
    }

    /// Whether a move that can happen is local.
    fn is_local(&self, state: &State, what: Move) -> bool {
        let view = (state, &self.classes);
        self.reaches.is_local(&self.machine, view, what)
            && !(self.claims).tell(&self.machine, &self.reaches, view, what)
    }

    /// Whether a move that can happen is private.
    fn is_private(&self, state: &State, what: Move) -> bool {
        let view = (state, &self.classes);
        let shows = match self.machine.asks(state, &self.classes, what.cpu()) {
            // It may be seen once it has left the buffer.
            Some(Op::Store { cell, .. } | Op::Write { cell, .. }) => {
                let store = (what.cpu(), cell);
                self.claims.tell_store(&self.machine, view, store)
            }
            _ => false,
        };
        !shows
            && self.reaches.is_private(&self.machine, view, what)
            && !(self.claims).tell(&self.machine, &self.reaches, view, what)
    }

    fn local(&self, state: &State) -> Option<Move> {
        let mut present = (0..state.cpus.len()).filter(|&cpu| self.machine.is_present(cpu));
        present.find_map(|cpu| {
            let act = Move::Act(cpu);
            let flush = Move::Flush(cpu);
            let is_local = |what| self.is_local(state, what);
            if self.machine.can_act(state, &self.classes, cpu) && is_local(act) {
                return Some(act);
            }
            (!state.cpus[cpu].buffer.is_empty() && is_local(flush)).then_some(flush)
        })
    }

    /// Makes a move, and where it is a private operation all those of its CPU that follow; and local moves that are no
    /// operations. Counts operations in `steps`; `made` is told of each move before it is made.
    pub(crate) fn run(
        &self,
        state: &mut State,
        by: Move,
        steps: &mut u32,
        made: &mut dyn FnMut(&State, Move),
    ) -> Result<(), Halt> {
        let mut in_a_row = self.is_private(state, by);
        made(state, by);
        *steps += self.take(state, by)?;
        loop {
            while let Some(what) = self.idle(state) {
                made(state, what);
                self.take(state, what)?;
            }
            in_a_row &=
                self.machine.can_act(state, &self.classes, by.cpu()) && self.is_private(state, by);
            if !in_a_row {
                return Ok(());
            }
            made(state, by);
            *steps += self.take(state, by)?;
        }
    }

    /// A local move that is no operation: a flush.
    fn idle(&self, state: &State) -> Option<Move> {
        (0..state.cpus.len()).map(Move::Flush).find(|&what| {
            let is_empty = state.cpus[what.cpu()].buffer.is_empty();
            !is_empty && self.is_local(state, what)
        })
    }

    /// Makes a move; how many operations that is.
    pub(crate) fn take(&self, state: &mut State, what: Move) -> Result<u32, Halt> {
        let op = self.machine.asks(state, &self.classes, what.cpu());
        let watched = self.claims.watched(state, what, op);
        let note = |state: &mut State| {
            if let Some(watched) = watched {
                let program = self.machine.program;
                (self.claims).note(program, &self.classes, state, (what, op), watched);
            }
        };
        let cpu = match what {
            Move::Flush(cpu) => {
                self.machine.flush(state, cpu);
                note(state);
                return Ok(0);
            }
            Move::Act(cpu) => cpu,
        };
        let answer = match self.machine.act(state, &self.classes, cpu) {
            Acted::Answer(answer) => answer,
            Acted::Began => return Ok(0),
            Acted::Wrong(violation) => return Err(Halt::Broken(violation)),
        };
        let Some(to) = self.classes.next(state.cpus[cpu].at, answer) else {
            return Err(Halt::Unknown { cpu, answer });
        };
        state.cpus[cpu].at = to;
        note(state);
        self.claims.forget(self.machine.program, state, cpu);
        let mut started = None;
        if let Some(Op::Spawn(other)) = op {
            started = self.wrong_at(state, other.index());
        }
        match started.or_else(|| self.wrong_at(state, cpu)) {
            Some(violation) => Err(Halt::Broken(violation)),
            None => Ok(1),
        }
    }

    /// Learns what comes after an answer that a CPU has got in `state`: that, and how the CPU goes on from there, by itself,
    /// to its end if it can. Whether it was a surprise: something was done until then by wrong assumptions.
    pub(crate) fn learn(
        &mut self,
        forest: &mut Forest,
        state: &State,
        (cpu, answer): (usize, u64),
    ) -> bool {
        let mut alone = state.clone();
        let mut is_a_surprise = self.follow(forest, &mut alone, (cpu, answer));
        for _ in 0..MOST_ALONE {
            if self.machine.can_act(&alone, &self.classes, cpu) {
                match self.machine.act(&mut alone, &self.classes, cpu) {
                    Acted::Answer(answer) => {
                        is_a_surprise |= self.follow(forest, &mut alone, (cpu, answer));
                    }
                    Acted::Began => {}
                    Acted::Wrong(_) => break,
                }
            } else if alone.cpus[cpu].buffer.is_empty() {
                break;
            } else {
                self.machine.flush(&mut alone, cpu);
            }
        }
        is_a_surprise
    }

    fn follow(
        &mut self,
        forest: &mut Forest,
        state: &mut State,
        (cpu, answer): (usize, u64),
    ) -> bool {
        let from: ClassId = state.cpus[cpu].at;
        if let Some(known) = self.classes.next(from, answer) {
            state.cpus[cpu].at = known;
            return false;
        }
        let (to, are_alike) = self.classes.learn(forest, from, answer);
        let reaches_as_far = self.reaches.learn(&self.classes, from, to);
        let program = self.machine.program;
        let claims_as_much = self.claims.learn(program, &self.classes, from, to);
        state.cpus[cpu].at = to;
        !are_alike || !reaches_as_far || !claims_as_much
    }

    /// What is broken before anything is done.
    pub(crate) fn wrong_somewhere(&self, state: &State) -> Option<Violation> {
        (0..state.cpus.len()).find_map(|cpu| self.wrong_at(state, cpu))
    }

    /// What is broken where a CPU has just come to.
    fn wrong_at(&self, state: &State, cpu: usize) -> Option<Violation> {
        let at = &state.cpus[cpu];
        if at.phase == Phase::Unstarted {
            return None;
        }
        let class = self.classes.get(at.at);
        match &class.what {
            What::Faulted(fault) => Some(Violation::Fault(*fault)),
            What::Panicked(message) => Some(Violation::Panic {
                message: message.clone(),
            }),
            What::Returned(_) | What::Retries => None,
            What::Asks(_) if class.depth >= MOST_OPERATIONS => {
                let message = format!("CPU {cpu} does more than {MOST_OPERATIONS} operations");
                Some(Violation::Panic { message })
            }
            What::Asks(_) => {
                let cell = self.machine.race(state, &self.classes, cpu)?;
                Some(Violation::DataRace { cell })
            }
        }
    }

    /// Two CPUs that race: if that is one of them, `last` before the other one.
    pub(crate) fn racing(&self, state: &State, last: Option<usize>) -> Option<(usize, usize)> {
        let cpus = state.cpus.len();
        let races = |&(one, other): &(usize, usize)| {
            let race = self.machine.do_race(state, &self.classes, one, other);
            one != other && race.is_some()
        };
        let firsts = last.into_iter().chain(0..cpus);
        let mut pairs = firsts.flat_map(|one| (0..cpus).map(move |other| (one, other)));
        pairs.find(races)
    }

    /// Records and judges a state in which nothing can happen any more: everybody has ended, or somebody waits.
    pub(crate) fn judge(&self, state: &State, tally: &mut Tally) -> Result<(), Violation> {
        if !self.machine.is_whole() {
            return Ok(()); // no end, as others have done nothing
        }
        let asks = |cpu| self.machine.asks(state, &self.classes, cpu);
        let waiting: Vec<_> = (0..state.cpus.len())
            .filter_map(|cpu| Some((LaneId(cpu as u8), asks(cpu)?)))
            .collect();
        if waiting.is_empty() {
            return self.judge_end(state, tally);
        }
        let program = self.machine.program;
        let spins = |(_, op): &(LaneId, Op)| matches!(op, Op::SpinUntil { .. });
        if program.waits_may_fail() && waiting.iter().any(spins) && !self.is_ring(state, &waiting) {
            tally.record_blocked(waiting);
            return Ok(());
        }
        Err(Violation::Deadlock { waiting })
    }

    /// Whether some of those who wait wait for each other in a ring.
    fn is_ring(&self, state: &State, waiting: &[(LaneId, Op)]) -> bool {
        let mut left: Vec<usize> = waiting.iter().map(|(lane, _)| lane.index()).collect();
        let keepers = |cpu: usize| match self.machine.asks(state, &self.classes, cpu) {
            Some(Op::Lock { lock, mode }) => {
                self.machine.keepers(state, &self.classes, cpu, lock, mode)
            }
            Some(Op::Join(other)) => 1 << other.index(),
            Some(Op::Wait(_)) => (state.owed.iter())
                .filter(|owed| usize::from(owed.waiter) == cpu)
                .fold(0, |keepers, owed| keepers | 1 << owed.by),
            _ => 0,
        };
        // Whoever waits for nobody who waits is in no ring: what is left in the end is rings.
        loop {
            let stuck = left.iter().fold(0_u32, |all, &cpu| all | 1 << cpu);
            let before = left.len();
            left.retain(|&cpu| keepers(cpu) & stuck != 0);
            if left.len() == before {
                return before > 0;
            }
        }
    }

    fn judge_end(&self, state: &State, tally: &mut Tally) -> Result<(), Violation> {
        let returned: Vec<Returned> = (state.cpus.iter())
            .map(|cpu| match &self.classes.get(cpu.at).what {
                What::Returned(returned) if cpu.phase != Phase::Unstarted => returned.clone(),
                _ => Returned::nothing(),
            })
            .collect();
        let program: &Program = self.machine.program;
        let memory = |cell| state.value(cell);
        let end = End::new(&returned, &memory);
        let recorded = || {
            tally.record(program, &end)?;
            (self.exchanges.iter())
                .try_for_each(|exchange| tally.record_exchanged(program, &end, exchange))?;
            let denied = Claims::denied(program, state, &returned);
            let denied = denied.filter(|_| !program.leaves_out(&end));
            denied
                .and_then(|(cpu, fact)| Violation::denied(program, LaneId(cpu as u8), fact))
                .map_or(Ok(()), Err)
        };
        panics::isolated(recorded).unwrap_or_else(|caught| Err(caught.violation()))
    }

    /// For tests: takes more for local than is.
    #[cfg(test)]
    pub(crate) fn believe_in_any_lock(&mut self) {
        let cells = self.machine.program.layout().cells().len();
        self.reaches.believe_in_any_lock(cells);
    }
}
