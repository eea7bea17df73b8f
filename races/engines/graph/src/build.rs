//! One graph built operation by operation, by choices: no search.
//!
//! Operations are pushed in an order that program order and reads-from allow. For each it is said how far from
//! the newest write that is there it reads, or writes; the model is asked whether it allows that.

use std::sync::Arc;

use gupcheck_sync::{CellId, LaneId, Op};
use gupcheck_tree::{MOST_OPERATIONS, What};

use super::code::NextRef;
use super::event::{Asked, Effect};
use super::explore::{Explorer, Extended, dropping, is_too_long};
use super::id::EventId;
use super::level::Level;
use super::model::Axioms;
use super::timeline::{events, timeline};
use super::touches::Foresight;
use super::trace;
use super::waiting::{holders, waits_in_vain};
use super::waits::{Unforeseen, Waits};
use gupcheck_program::Reductions;
use gupcheck_program::{Choice, Counterexample, End, Program, Tally, Violation, panics};

/// What breaks, and the events that do it, if events do.
pub(super) type Broken = (Violation, Vec<EventId>);

/// What the execution has come to when nothing is left of the schedule.
pub(super) enum Ending {
    Broken(Broken),
    /// Everybody has finished, or waits as the program lets them; and all is well.
    Holds,
    /// This CPU can go on.
    Open(usize),
}

/// A graph that is being built.
pub(super) struct Builder<A> {
    pub(super) explorer: Explorer<A>,
    /// A wait or a section that was met and not foreseen: what was built is not to be relied on.
    pub(super) unforeseen: Option<Unforeseen>,
}

impl<A: Axioms> Builder<A> {
    pub(super) fn new(program: &Arc<Program>, waits: &Arc<Waits>) -> Self {
        Self {
            explorer: Explorer::new(
                program,
                Reductions::NONE,
                &Foresight::none(program, A::is_fence).with_waits(waits),
            ),
            unforeseen: None,
        }
    }

    /// Lets a debugger stop where CPUs ask for something.
    pub(super) fn hook(&mut self) {
        self.explorer.code.hook();
    }

    /// Makes the graph empty.
    pub(super) fn restart(&mut self) {
        let Explorer {
            program,
            levels,
            twins,
            waits,
            ..
        } = &mut self.explorer;
        levels[0].reset(program, *twins, waits);
    }

    /// Makes these choices as far as they can be made, and goes on to the end; what breaks. A CPU that can
    /// keep the turn then does.
    pub(super) fn follow(&mut self, choices: &[Choice]) -> Option<Broken> {
        let mut current = 0;
        for choice in choices {
            current = usize::from(choice.lane);
            if let Ok(Some(broken)) = self.take(current, choice.back, false) {
                return Some(broken);
            }
        }
        loop {
            match self.ending(current) {
                Ending::Broken(broken) => return Some(broken),
                Ending::Holds => return None,
                Ending::Open(lane) => {
                    current = lane;
                    if let Some(broken) = self.take(lane, 0, false).ok()? {
                        return Some(broken);
                    }
                }
            }
        }
    }

    /// The choices that lead to what was built, in the order in which it is told.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let level = self.explorer.level();
        let told = timeline(&level.graph, &level.axioms, level.graph.pushed());
        trace::choices(&level.graph, &events(&told))
    }

    /// What a CPU asks for next.
    pub(super) fn asked(&mut self, lane: usize) -> Option<Asked> {
        if lane >= self.explorer.code.cpus() {
            return None;
        }
        match self.explorer.next_of(lane) {
            Some(NextRef::Asks(asked)) => Some(asked),
            _ => None,
        }
    }

    /// Lets a CPU do its next operation, so far from the newest write. A choice that the model does not allow is
    /// refused if `strict`, and otherwise the newest is taken.
    pub(super) fn take(
        &mut self,
        lane: usize,
        choice: u32,
        strict: bool,
    ) -> Result<Option<Broken>, &'static str> {
        let asked = self.asked(lane).ok_or("this CPU does nothing any more")?;
        if let Some(defect) = self.defect(lane, &asked) {
            return Ok(Some((defect, Vec::new())));
        }
        let back = u16::try_from(choice).unwrap_or(u16::MAX);
        let backs: &[u16] = if strict { &[back] } else { &[back, 0] };
        match asked.op {
            Op::Load { cell, .. } | Op::SpinUntil { cell, .. } | Op::Rmw { cell, .. } => {
                let read = |back| self.explorer.levels[0].source(lane, &asked, cell, back);
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
            Op::Enter(_) => self.enter(lane, asked, choice)?,
            Op::Wait(_) => self.wait(lane, asked)?,
            _ if !self.is_enabled(lane, &asked) => return Err("this CPU has to wait"),
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
        let effect = (next > only && level.permits(lane, &asked, false, (cell, only)))
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
            _ if is_too_long(&self.explorer.code, graph, lane, asked) => {
                format!("CPU {lane} does more than {MOST_OPERATIONS} operations")
            }
            Op::Unlock { mode, .. } if dropping(graph, lane, asked, mode).is_none() => {
                format!("CPU {lane} drops a lock that it does not hold")
            }
            Op::Enter(_) | Op::Leave(_) => self.explorer.code.misuse(lane, asked)?,
            Op::Spawn(other) if !graph.spawned_by(other.index()).is_init() => {
                format!("CPU {} is started twice", other.0)
            }
            _ => return None,
        };
        Some(Violation::Panic { message })
    }

    fn is_enabled(&mut self, lane: usize, asked: &Asked) -> bool {
        let level = self.explorer.level();
        match asked.op {
            Op::Lock { lock, mode } => holders(&level.graph, lane, lock, mode).next().is_none(),
            // What ends its wait only if it reads an older value is for a schedule to choose.
            Op::SpinUntil { cell, .. } => level.source(lane, asked, cell, 0).is_ok(),
            Op::Wait(_) => self.could_wait(lane, asked),
            Op::Join(other) => matches!(
                self.explorer.next_of(other.index()),
                Some(NextRef::Stops(_))
            ),
            _ => true,
        }
    }

    /// What the execution has come to. If somebody can go on: `current` before all others.
    pub(super) fn ending(&mut self, current: usize) -> Ending {
        let mut open = None;
        let mut waiting = Vec::new();
        for lane in 0..self.explorer.code.cpus() {
            let violation = match self.explorer.next_of(lane) {
                None | Some(NextRef::Stops(What::Returned(_) | What::Asks(_) | What::Retries)) => {
                    continue;
                }
                Some(NextRef::Stops(What::Faulted(fault))) => Violation::Fault(*fault),
                Some(NextRef::Stops(What::Panicked(message))) => Violation::Panic {
                    message: message.clone(),
                },
                Some(NextRef::Asks(asked)) => {
                    waiting.push((lane, asked));
                    let Some(defect) = self.defect(lane, &asked) else {
                        let enabled = self.is_enabled(lane, &asked);
                        if enabled && (open.is_none() || lane == current) {
                            open = Some(lane);
                        }
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
        let (program, level) = (&self.explorer.program, self.explorer.level());
        let memory = |cell| level.graph.last_value(cell);
        let end = End::new(&returned, &memory);
        let is_flagged = A::FLAGS_RACES && program.flags_races();
        if !is_flagged
            && !program.leaves_out(&end)
            && let Some(race) = level.shadowed_race(program)
        {
            return Ending::Broken(race);
        }
        let judge = || {
            Tally::default().record(program, &end)?;
            let denied = level.denied(program, &returned, &memory);
            denied
                .filter(|_| !program.leaves_out(&end))
                .map_or(Ok(()), |denial| Err(denial.violation))
        };
        match panics::isolated(judge).unwrap_or_else(|caught| Err(caught.violation())) {
            Ok(()) => Ending::Holds,
            Err(violation) => Ending::Broken((violation, Vec::new())),
        }
    }

    fn deadlock(&self, waiting: &[(usize, Asked)]) -> Ending {
        let explorer = &self.explorer;
        if waits_in_vain(&explorer.program, &explorer.level().graph, waiting) {
            return Ending::Holds;
        }
        let waiting = (waiting.iter())
            .map(|&(lane, asked)| (LaneId(lane as u8), asked.op))
            .collect();
        Ending::Broken((Violation::Deadlock { waiting }, Vec::new()))
    }

    /// The order in which the graph is told: that in which it was built, and if a claim was not so, one that shows it.
    fn order(&mut self, violation: &Violation) -> Vec<EventId> {
        let mut returned = Vec::new();
        self.explorer.returned(&mut returned);
        let (program, level) = (&self.explorer.program, self.explorer.level());
        let is_denied = matches!(violation, Violation::Property { index, .. }
            if program.witness_property() == Some(*index));
        let memory = |cell| level.graph.last_value(cell);
        let denial = is_denied.then(|| level.denied(program, &returned, &memory));
        let history = denial.flatten().map(|denial| denial.history);
        level.order_of(&history.unwrap_or_default())
    }

    /// What a CPU claims that was not so, where another property is broken.
    fn denial_beside(&mut self, violation: &Violation) -> Option<Violation> {
        let program = Arc::clone(&self.explorer.program);
        let is_other = matches!(violation, Violation::Property { index, .. }
            if program.witness_property() != Some(*index));
        if !is_other {
            return None;
        }
        let mut returned = Vec::new();
        self.explorer.returned(&mut returned);
        let level = self.explorer.level();
        let memory = |cell| level.graph.last_value(cell);
        let denied = panics::isolated(|| level.denied(&program, &returned, &memory)).ok()?;
        let violation = denied?.violation;
        matches!(violation, Violation::Property { .. }).then_some(violation)
    }

    /// The graph as a counterexample.
    pub(super) fn tell(&mut self, (violation, blame): Broken, execution: u64) -> Counterexample {
        let order = self.order(&violation);
        let denial = self.denial_beside(&violation);
        let told = trace::in_order(&mut self.explorer, violation, &blame, execution, &order);
        Counterexample { denial, ..told }
    }
}

impl<A: Axioms> Level<A> {
    /// What the next event of `lane` amounts to if it reads so far `back` from the newest write.
    fn source(
        &self,
        lane: usize,
        asked: &Asked,
        cell: CellId,
        back: u16,
    ) -> Result<Effect, &'static str> {
        const TOO_OLD: &str = "the model does not allow it to read so old a value";
        let op = &asked.op;
        let position = self.graph.top(cell).checked_sub(back).ok_or(TOO_OLD)?;
        let effect = self.reading(op, cell, position);
        let (floor, granted) = self.floors(lane, op, cell);
        let oldest = if effect.granted { granted } else { floor };
        match op {
            _ if position < oldest => Err(TOO_OLD),
            _ if !self.permits(lane, asked, effect.granted, (cell, position)) => Err(TOO_OLD),
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
        let position = (next.checked_sub(back.saturating_add(1))).filter(|&position| {
            position >= floor && self.permits(lane, &asked, false, (cell, position))
        });
        let position = position.ok_or("the model does not allow it to write so far back")?;
        self.writing(lane, &asked.op, cell, position)
            .ok_or("it would write between the halves of an update")
    }
}
