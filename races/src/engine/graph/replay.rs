//! One graph built directly from a schedule: no search.
//!
//! A schedule names the operations of all CPUs in an order that program order and reads-from allow, and
//! for each its place in coherence order, counted from the newest write that is there. So the graph can be
//! pushed operation by operation; the model is asked of each whether it allows it.
//!
//! Where the program is not any more what it was, [`nearest`](Follower::nearest) follows as much as it can: an
//! operation that is gone is left out, a new one is done on the way to what comes next, one that became
//! another takes its place; a read that may not be as old as it was is as old as it may be. What is not
//! finished by then goes on to its end, CPU by CPU, and reads what is newest.

use std::sync::Arc;

use gupcheck_core::sync::{CellId, LaneId, Op};

use super::Reductions;
use super::cpu::{Cpu, Next, NextRef};
use super::event::{Asked, Effect, EventId};
use super::explore::{Explorer, Extended, MAX_EVENTS, dropping, holders, wait_cycle};
use super::level::Level;
use super::model::Axioms;
use super::trace;
use crate::engine::{Replay, ReplayError, Replayed};
use crate::program::{End, Program};
use crate::schedule::{Choice, Misfit, signature};
use crate::tally::Tally;
use crate::verdict::{Counterexample, Violation};

/// How far the nearest schedule looks for an operation that is not where it was.
const LOOKAHEAD: usize = 8;

/// Builds the execution that `choices` lead to.
pub(super) fn run<A: Axioms>(
    program: &Arc<Program>,
    replay: &Replay<'_>,
    choices: &[Choice],
) -> Result<Replayed, ReplayError> {
    let (broken, misfit, followed) = match Follower::<A>::new(program, replay).exactly(choices)? {
        Ok(broken) => (broken, None, choices.len()),
        Err(misfit) => {
            let (broken, followed) = Follower::<A>::new(program, replay).nearest(choices);
            (broken, Some(misfit), followed)
        }
    };
    Ok(Replayed {
        broken: broken.map(Box::new),
        misfit,
        followed,
        choices: choices.len(),
    })
}

/// What breaks, and the events that do it, if events do.
type Broken = (Violation, Vec<EventId>);

/// What the execution has come to when nothing is left of the schedule.
enum Ending {
    Broken(Broken),
    /// Everybody has finished, or waits as the program lets them; and all is well.
    Holds,
    /// This CPU can go on.
    Open(usize),
}

struct Follower<'r, A> {
    explorer: Explorer<A>,
    replay: &'r Replay<'r>,
}

impl<'r, A: Axioms> Follower<'r, A> {
    fn new(program: &Arc<Program>, replay: &'r Replay<'r>) -> Self {
        let explorer = Explorer::new(program, Reductions::NONE);
        explorer.cpus.iter().for_each(Cpu::hook);
        Self { explorer, replay }
    }

    /// Follows a schedule that fits; or the first step that does not.
    fn exactly(
        mut self,
        choices: &[Choice],
    ) -> Result<Result<Option<Counterexample>, Misfit>, ReplayError> {
        for (nth, choice) in choices.iter().enumerate() {
            let lane = usize::from(choice.lane);
            let op = self.asked(lane).map(|asked| asked.op);
            let (program, fingerprint) = (&self.explorer.program, self.replay.fingerprint);
            if let Err(misfit) = fingerprint.check(nth, program, op.as_ref()) {
                return Ok(Err(misfit));
            }
            let impossible = |why: &str| ReplayError::Impossible {
                step: nth + 1,
                why: why.to_owned(),
            };
            match self.take(lane, choice.back, true) {
                Ok(None) => {}
                Ok(Some(_)) if nth + 1 < choices.len() => {
                    return Err(impossible("a rule is broken before the schedule ends"));
                }
                Ok(Some(broken)) => return Ok(Ok(Some(self.tell(broken)))),
                Err(why) => return Err(impossible(why)),
            }
        }
        match self.ending() {
            Ending::Broken(broken) => Ok(Ok(Some(self.tell(broken)))),
            Ending::Holds => Ok(Ok(None)),
            Ending::Open(lane) => {
                let op = self.asked(lane).expect("it can go on").op;
                let program = &self.explorer.program;
                Ok(Err(Misfit {
                    step: choices.len() + 1,
                    cpu: program.cpus()[lane].name.to_string(),
                    was: "the end".to_owned(),
                    now: Some(signature(program, &op)),
                }))
            }
        }
    }

    /// Follows a schedule as far as it fits. What broke, and how many choices could be followed.
    fn nearest(mut self, choices: &[Choice]) -> (Option<Counterexample>, usize) {
        let mut followed = 0;
        for (nth, choice) in choices.iter().enumerate() {
            let lane = usize::from(choice.lane);
            if !self.fits(nth) {
                if self.is_gone(nth) {
                    continue;
                }
                if let Some(broken) = self.run_ahead(nth) {
                    return (Some(self.tell(broken)), followed);
                }
            }
            let fits = self.fits(nth);
            match self.take(lane, choice.back, false) {
                Ok(None) => followed += usize::from(fits),
                Ok(Some(broken)) => {
                    return (Some(self.tell(broken)), followed + usize::from(fits));
                }
                Err(_) => {}
            }
        }
        loop {
            match self.ending() {
                Ending::Broken(broken) => return (Some(self.tell(broken)), followed),
                Ending::Holds => return (None, followed),
                Ending::Open(lane) => {
                    if let Some(broken) = self.take(lane, 0, false).ok().flatten() {
                        return (Some(self.tell(broken)), followed);
                    }
                }
            }
        }
    }

    /// What a CPU asks for next.
    fn asked(&mut self, lane: usize) -> Option<Asked> {
        if lane >= self.explorer.cpus.len() {
            return None;
        }
        match self.explorer.next_of(lane) {
            Some(NextRef::Asks(asked)) => Some(asked),
            _ => None,
        }
    }

    fn word(&mut self, lane: usize) -> Option<String> {
        let op = self.asked(lane)?.op;
        Some(signature(&self.explorer.program, &op))
    }

    /// Whether step `nth` is what its CPU does next.
    fn fits(&mut self, nth: usize) -> bool {
        let Some((lane, was)) = self.replay.fingerprint.step(nth) else {
            return false;
        };
        self.word(lane.index()).as_deref() == Some(was)
    }

    /// Whether step `nth` is left out: its CPU goes on with what came soon after it.
    fn is_gone(&mut self, nth: usize) -> bool {
        let fingerprint = self.replay.fingerprint;
        let Some((lane, _)) = fingerprint.step(nth) else {
            return true;
        };
        let Some(now) = self.word(lane.index()) else {
            return true;
        };
        (nth + 1..fingerprint.len())
            .filter_map(|later| fingerprint.step(later))
            .filter(|&(other, _)| other == lane)
            .take(LOOKAHEAD)
            .any(|(_, word)| word == now)
    }

    /// Lets a CPU do what is new before step `nth`, if there is such a thing.
    fn run_ahead(&mut self, nth: usize) -> Option<Broken> {
        let lane = self.replay.fingerprint.step(nth)?.0.index();
        let before = self.explorer.level().graph.pushed().len();
        for _ in 0..LOOKAHEAD {
            if let Some(broken) = self.take(lane, 0, false).ok()? {
                return Some(broken);
            }
            if self.fits(nth) {
                return None;
            }
        }
        let level = &mut self.explorer.levels[0];
        while level.graph.pushed().len() > before {
            level.pop();
        }
        let kept = level.graph.lane(lane).len();
        self.explorer.cpus[lane].forget(kept);
        None
    }

    /// Lets a CPU do its next operation, `back` from the newest write. A choice that the model does not allow is
    /// refused if `strict`, and otherwise the newest is taken.
    fn take(
        &mut self,
        lane: usize,
        back: u16,
        strict: bool,
    ) -> Result<Option<Broken>, &'static str> {
        let asked = self.asked(lane).ok_or("this CPU does nothing any more")?;
        if let Some(defect) = self.defect(lane, &asked) {
            return Ok(Some((defect, Vec::new())));
        }
        let backs: &[u16] = if strict { &[back] } else { &[back, 0] };
        match asked.op {
            Op::Load { cell, .. } | Op::SpinUntil { cell, .. } | Op::Rmw { cell, .. } => {
                let read = |back| self.explorer.levels[0].source(lane, &asked.op, cell, back);
                let effects: Vec<_> = backs.iter().map(|&back| read(back)).collect();
                let effect = effects.into_iter().reduce(Result::or);
                let effect = effect.expect("at least one")?;
                self.explorer.levels[0].push(lane, asked, effect);
                self.write_the_rest(lane)?;
            }
            Op::Store { cell, .. } => {
                let write = |back| self.explorer.levels[0].place(lane, asked, cell, back);
                let effects: Vec<_> = backs.iter().map(|&back| write(back)).collect();
                let effect = effects.into_iter().reduce(Result::or);
                let effect = effect.expect("at least one")?;
                self.explorer.levels[0].push(lane, asked, effect);
            }
            Op::Read { cell } | Op::Write { cell, .. } => {
                return Ok(match self.explorer.perform_plain(lane, asked, cell) {
                    Some(Extended::Violated(violation, blame)) => Some((violation, blame)),
                    _ => None,
                });
            }
            _ if !self.is_enabled(lane, &asked.op) => return Err("this CPU has to wait"),
            _ => {
                self.explorer.levels[0].push(lane, asked, Effect::NONE);
                while let Some(part) = self.explorer.level().graph.half_done(lane) {
                    self.explorer.levels[0].push(lane, part, Effect::NONE);
                }
            }
        }
        Ok(None)
    }

    /// The second half of an update that was granted.
    fn write_the_rest(&mut self, lane: usize) -> Result<(), &'static str> {
        let level = &mut self.explorer.levels[0];
        let Some(asked) = level.graph.half_done(lane) else {
            return Ok(());
        };
        let cell = asked.op.cell().expect("an update");
        let (next, only) = level.places(lane, asked, cell);
        let effect = (next > only)
            .then(|| level.writing(lane, &asked.op, cell, only))
            .flatten()
            .ok_or("two updates would read the same write")?;
        level.push(lane, asked, effect);
        Ok(())
    }

    /// What is wrong with an operation, whenever it is done.
    fn defect(&self, lane: usize, asked: &Asked) -> Option<Violation> {
        let graph = &self.explorer.level().graph;
        let message = match asked.op {
            _ if graph.lane(lane).len() >= MAX_EVENTS => {
                format!("CPU {lane} does more than {MAX_EVENTS} operations")
            }
            Op::Unlock { mode, .. } if dropping(graph, lane, asked, mode).is_none() => {
                format!("CPU {lane} drops a lock that it does not hold")
            }
            Op::Spawn(other) if !graph.spawned_by(other.index()).is_init() => {
                format!("CPU {} is started twice", other.0)
            }
            _ => return None,
        };
        Some(Violation::Panic { message })
    }

    fn is_enabled(&mut self, lane: usize, op: &Op) -> bool {
        let level = self.explorer.level();
        match *op {
            Op::Lock { lock, mode } => holders(&level.graph, lane, lock, mode).next().is_none(),
            Op::SpinUntil { .. } => level.could_end_wait(lane, op),
            Op::Join(other) => matches!(
                self.explorer.next_of(other.index()),
                Some(NextRef::Stops(_))
            ),
            _ => true,
        }
    }

    /// What the execution has come to.
    fn ending(&mut self) -> Ending {
        let mut open = None;
        let mut waiting = Vec::new();
        for lane in 0..self.explorer.cpus.len() {
            let violation = match self.explorer.next_of(lane) {
                None | Some(NextRef::Stops(Next::Returned(_) | Next::Asks(_) | Next::Retries)) => continue,
                Some(NextRef::Stops(Next::Faulted(fault))) => Violation::Fault(*fault),
                Some(NextRef::Stops(Next::Panicked(message))) => Violation::Panic {
                    message: message.clone(),
                },
                Some(NextRef::Asks(asked)) => {
                    waiting.push((lane, asked));
                    let Some(defect) = self.defect(lane, &asked) else {
                        let enabled = self.is_enabled(lane, &asked.op);
                        open = open.or(enabled.then_some(lane));
                        continue;
                    };
                    defect
                }
            };
            return Ending::Broken((violation, Vec::new()));
        }
        match (open, &waiting[..]) {
            (Some(lane), _) => Ending::Open(lane),
            (None, []) => self.judge(),
            (None, waiting) => self.deadlock(waiting),
        }
    }

    fn judge(&mut self) -> Ending {
        let mut returned = Vec::new();
        self.explorer.returned(&mut returned);
        let graph = &self.explorer.level().graph;
        let memory = |cell| graph.last_value(cell);
        let end = End::new(&returned, &memory);
        match Tally::default().record(&self.explorer.program, &end) {
            Ok(()) => Ending::Holds,
            Err(violation) => Ending::Broken((violation, Vec::new())),
        }
    }

    fn deadlock(&self, waiting: &[(usize, Asked)]) -> Ending {
        let graph = &self.explorer.level().graph;
        let spins = |(_, asked): &(usize, Asked)| matches!(asked.op, Op::SpinUntil { .. });
        let may_wait = self.explorer.program.waits_may_fail();
        if may_wait && waiting.iter().any(spins) && !wait_cycle(graph, waiting) {
            return Ending::Holds;
        }
        let waiting = (waiting.iter())
            .map(|&(lane, asked)| (LaneId(lane as u8), asked.op))
            .collect();
        Ending::Broken((Violation::Deadlock { waiting }, Vec::new()))
    }

    fn tell(&mut self, (violation, blame): Broken) -> Counterexample {
        let order = self.explorer.level().graph.pushed().to_vec();
        let execution = self.replay.execution;
        trace::in_order(&mut self.explorer, violation, &blame, execution, &order)
    }
}

impl<A: Axioms> Level<A> {
    /// What the next event of `lane` amounts to if it reads so far `back` from the newest write.
    fn source(
        &self,
        lane: usize,
        op: &Op,
        cell: CellId,
        back: u16,
    ) -> Result<Effect, &'static str> {
        const TOO_OLD: &str = "the model does not allow it to read so old a value";
        let position = self.graph.top(cell).checked_sub(back).ok_or(TOO_OLD)?;
        let effect = self.reading(op, cell, position);
        let (floor, granted) = self.floors(lane, op, cell);
        let oldest = if effect.granted { granted } else { floor };
        match op {
            _ if position < oldest => Err(TOO_OLD),
            Op::SpinUntil { until, .. } if !until.is_met_by(effect.read) => {
                Err("what it reads does not end its wait")
            }
            _ if effect.granted && self.graph.is_taken(cell, position) => {
                Err("two updates would read the same write")
            }
            _ => Ok(effect),
        }
    }

    /// What the next event of `lane` amounts to if it writes so far `back` from the newest write.
    fn place(
        &self,
        lane: usize,
        asked: Asked,
        cell: CellId,
        back: u16,
    ) -> Result<Effect, &'static str> {
        let (next, floor) = self.places(lane, asked, cell);
        let position = (next.checked_sub(back + 1)).filter(|&position| position >= floor);
        let position = position.ok_or("the model does not allow it to write so far back")?;
        self.writing(lane, &asked.op, cell, position)
            .ok_or("it would write between the halves of an update")
    }
}
