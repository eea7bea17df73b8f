//! The search: one graph after another, each exactly once.
//!
//! The explorer always extends the first CPU that can go on, by its next event, and takes the first of
//! that event's choices: the last write for a read, the last place for a write. When nobody can go on,
//! the execution is over. Then it goes back: the event that was added last is taken away and added
//! again with its next choice, and so on, until the first event has no choice left.
//!
//! What is missing after that are the graphs in which a read takes its value from a write that comes
//! later in the order of exploration. So an event that writes has, after all its places in coherence
//! order, further choices: the reads that it could have served. Such a *backward revisit* ([`revisit`])
//! takes the search to another graph, held in a [`Level`] of its own; when that is exhausted, the
//! search goes on where it was.
//!
//! [`revisit`]: super::revisit
//! [`Level`]: super::level::Level

use std::sync::Arc;

use gupcheck_sync::{CellId, LaneId, LockMode, Op};
use gupcheck_tree::{MOST_OPERATIONS, NodeId, What};

use super::bookmark::Bookmark;
use super::code::{Code, NextRef};
use super::event::{Asked, Effect, Event, NOT_CODE};
use super::graph::Graph;
use super::id::EventId;
use super::level::{Level, Stage};
use super::model::Axioms;
use super::shadow;
use super::touches::Foresight;
use super::twins::Twins;
use super::waiting::{holders, waits_in_vain};
use super::waits::{Unforeseen, Waits};
use gupcheck_program::Reductions;
use gupcheck_program::{Program, Returned, Start, Violation};

/// More events than this in one CPU have no names.
const MOST_EVENTS: usize = 60_000;

/// How extending a graph ended.
pub(super) enum Extended {
    /// Every CPU has finished.
    Complete,
    /// These wait for what never comes; not a deadlock.
    Blocked(Vec<(LaneId, Op)>),
    /// No execution, or none to be counted: two updates would have to come right after the same write,
    /// somebody who was overtaken or waits was not let go on, or a round of a loop failed.
    Doomed,
    /// A rule is broken, by these events if by events.
    Violated(Violation, Vec<EventId>),
    /// A CPU does what was not foreseen; see [`super::waits`] and [`super::touches`].
    Unforeseen(Unforeseen),
}

enum Scheduled {
    Do(usize, Asked),
    Nobody,
    Stop(Violation),
}

/// A search under way.
pub(super) struct Explorer<A> {
    pub(super) program: Arc<Program>,
    pub(super) code: Code,
    /// The levels in use are those up to `depth`; the others are kept for their buffers.
    pub(super) levels: Vec<Level<A>>,
    pub(super) depth: usize,
    /// Where the first level begins.
    pub(super) begun_at: Bookmark,
    pub(super) twins: Twins,
    pub(super) waits: Arc<Waits>,
}

impl<A: Axioms> Explorer<A> {
    pub(super) fn new(
        program: &Arc<Program>,
        reductions: Reductions,
        foresight: &Foresight,
    ) -> Self {
        let waits = &foresight.waits;
        let twins = Twins::under(reductions, program, waits);
        let mut level = Level::default();
        level.reset(program, twins, waits);
        level.leaves_out_dominated = reductions.dominated;
        Self {
            program: Arc::clone(program),
            code: Code::new(program, foresight, reductions.retries),
            levels: vec![level],
            depth: 0,
            begun_at: Bookmark::beginning(),
            twins,
            waits: Arc::clone(waits),
        }
    }

    pub(super) fn level(&self) -> &Level<A> {
        &self.levels[self.depth]
    }

    /// What those CPUs returned that have come so far.
    pub(super) fn returned_so_far(&mut self) -> Vec<Option<Returned>> {
        (0..self.code.cpus())
            .map(|lane| match self.next_of(lane) {
                Some(NextRef::Stops(What::Returned(returned))) => Some(returned.clone()),
                _ => None,
            })
            .collect()
    }

    /// What each CPU returned; those that were never started return nothing.
    pub(super) fn returned(&mut self, into: &mut Vec<Returned>) {
        into.clear();
        for lane in 0..self.code.cpus() {
            into.push(match self.next_of(lane) {
                Some(NextRef::Stops(What::Returned(returned))) => returned.clone(),
                _ => Returned::nothing(),
            });
        }
    }

    /// Whether a CPU has begun.
    fn is_started(&self, lane: usize) -> bool {
        let starts_at_once = self.program.cpus()[lane].start == Start::AtOnce;
        starts_at_once || !self.level().graph.spawned_by(lane).is_init()
    }

    /// Where in its code a CPU is, if it was started.
    pub(super) fn node_of(&mut self, lane: usize) -> Option<NodeId> {
        let graph = &self.levels[self.depth].graph;
        if !self.is_started(lane) {
            return None;
        }
        let answered = graph.answered(lane);
        Some(match answered.last() {
            Some(last) if graph.half_done(lane).is_some() => last.node,
            _ => self.code.after(lane, answered),
        })
    }

    /// The last values of cells whose accesses are passed over, where they were written.
    pub(super) fn written_alone(&mut self, into: &mut Vec<(CellId, u64)>) {
        into.clear();
        for lane in 0..self.code.cpus() {
            if let Some(node) = self.node_of(lane) {
                into.extend_from_slice(self.code.written_at(node));
            }
        }
    }

    /// What a CPU does next, if it was started.
    pub(super) fn next_of(&mut self, lane: usize) -> Option<NextRef<'_>> {
        let graph = &self.levels[self.depth].graph;
        if lane >= self.code.cpus() {
            return graph.next_of_courier(lane).map(NextRef::Asks);
        }
        if !self.is_started(lane) {
            return None;
        }
        let unanswered = (graph.stuck(lane).map(Event::asked)).or_else(|| graph.half_done(lane));
        if let Some(asked) = unanswered {
            return Some(NextRef::Asks(asked));
        }
        Some(self.code.next(lane, graph.answered(lane)))
    }

    fn has_finished(&mut self, lane: usize) -> bool {
        let next = self.next_of(lane);
        matches!(next, Some(NextRef::Stops(next)) if !matches!(next, What::Retries))
    }

    /// The first CPU that can go on, but before all others one that is in the middle of something.
    fn schedule(&mut self) -> Scheduled {
        for lane in 0..self.level().graph.lanes() {
            if let Some(asked) = self.level().graph.half_done(lane)
                && self.is_enabled(lane, &asked)
            {
                return Scheduled::Do(lane, asked);
            }
        }
        for lane in 0..self.level().graph.lanes() {
            let asked = match self.next_of(lane) {
                None | Some(NextRef::Stops(What::Returned(_) | What::Retries)) => continue,
                Some(NextRef::Asks(asked)) => asked,
                Some(NextRef::Stops(What::Faulted(fault))) => {
                    return Scheduled::Stop(Violation::Fault(*fault));
                }
                Some(NextRef::Stops(What::Panicked(message))) => {
                    let message = message.clone();
                    return Scheduled::Stop(Violation::Panic { message });
                }
                Some(NextRef::Stops(What::Asks(_))) => unreachable!("a request is not a stop"),
            };
            if self.is_enabled(lane, &asked) {
                return Scheduled::Do(lane, asked);
            }
        }
        self.schedule_hopeless()
    }

    /// The first CPU that waits for what was there, but has been overwritten, so that its wait may have
    /// ended in time or not.
    fn schedule_hopeless(&mut self) -> Scheduled {
        for lane in 0..self.code.cpus() {
            if let Some(NextRef::Asks(asked)) = self.next_of(lane)
                && self.level().graph.stuck(lane).is_none()
                && !self.level().graph.lets_twin_go(lane)
                && self.level().could_end_wait(lane, &asked)
            {
                return Scheduled::Do(lane, asked);
            }
        }
        Scheduled::Nobody
    }

    fn is_enabled(&mut self, lane: usize, asked: &Asked) -> bool {
        let level = &self.levels[self.depth];
        if level.graph.lets_twin_go(lane) {
            return false;
        }
        match asked.op {
            Op::Lock { mode, .. } => {
                let locks = level.graph.locks();
                let queue = locks.queue_of(lane, asked);
                queue.is_some_and(|queue| locks.may_enter(queue, lane, mode))
                    && level.graph.overtaker_of(lane).is_none()
            }
            Op::SpinUntil { cell, until, .. } => {
                level.graph.stuck(lane).is_none() && until.is_met_by(level.graph.last_value(cell))
            }
            Op::Wait(kinds) if asked.part > 0 => {
                let nth = (level.graph.open_wait(lane)).map_or(0, |(nth, _)| nth);
                (level.graph.before_end_of_wait(lane, nth, kinds)).is_some()
            }
            Op::Join(other) => self.has_finished(other.index()),
            _ => true,
        }
    }

    /// Extends the current graph until nobody can go on.
    pub(super) fn extend(&mut self) -> Extended {
        if self.level().is_in_vain() {
            return Extended::Doomed;
        }
        loop {
            if let Some(ended) = self.step() {
                return ended;
            }
        }
    }

    /// Adds one event, with its first choice; how extending ended if it did.
    pub(super) fn step(&mut self) -> Option<Extended> {
        let scheduled = self.schedule();
        if self.code.has_news() {
            return Some(Extended::Unforeseen(Unforeseen::Touch));
        }
        match scheduled {
            Scheduled::Do(lane, asked) => self.perform(lane, asked),
            Scheduled::Stop(violation) => Some(Extended::Violated(violation, Vec::new())),
            Scheduled::Nobody => Some(self.nobody_goes_on()),
        }
    }

    /// Adds the next event of a CPU with its first choice.
    fn perform(&mut self, lane: usize, asked: Asked) -> Option<Extended> {
        let level = &mut self.levels[self.depth];
        if is_too_long(&self.code, &level.graph, lane, &asked) {
            return Some(defect(format!(
                "CPU {lane} does more than {MOST_OPERATIONS} operations"
            )));
        }
        let graph = &level.graph;
        let stage = match asked.op {
            Op::Load { cell, .. } | Op::SpinUntil { cell, .. } | Op::Rmw { cell, .. }
                if !asked.is_second =>
            {
                let (floor, granted) = level.floors(lane, &asked.op, cell);
                let next = graph.top(cell) + 1;
                Stage::Read {
                    next,
                    floor,
                    granted,
                }
            }
            Op::Load { cell, .. }
            | Op::SpinUntil { cell, .. }
            | Op::Rmw { cell, .. }
            | Op::Store { cell, .. } => {
                let (next, floor) = level.places(lane, asked, cell);
                Stage::Write { next, floor }
            }
            Op::Read { cell } | Op::Write { cell, .. } => {
                return self.perform_plain(lane, asked, cell);
            }
            Op::Unlock { mode, .. } => match dropping(graph, lane, &asked, mode) {
                Some(stage) => stage,
                None => {
                    return Some(defect(format!(
                        "CPU {lane} drops a lock that it does not hold"
                    )));
                }
            },
            Op::Lock { .. } => Stage::Overtake { nth: 0 },
            Op::Spawn(other) => {
                if !graph.spawned_by(other.index()).is_init() {
                    return Some(defect(format!("CPU {} is started twice", other.0)));
                }
                Stage::Settled
            }
            Op::Enter(kind) | Op::Leave(kind) => {
                if let Some(message) = self.code.misuse(lane, &asked) {
                    return Some(defect(message));
                }
                let is_new = !self.waits.foresees_section(lane, kind);
                if is_new && matches!(asked.op, Op::Enter(_)) {
                    return Some(Extended::Unforeseen(Unforeseen::Section(lane, kind)));
                }
                Stage::Settled
            }
            Op::Wait(kinds) => {
                let wait = (lane, kinds);
                if !self.waits.foresees(wait) {
                    return Some(Extended::Unforeseen(Unforeseen::Wait(wait)));
                }
                Stage::Settled
            }
            Op::Fence(_) | Op::Join(_) => Stage::Settled,
        };
        level.push_entry(lane, asked, stage);
        if matches!(stage, Stage::Settled | Stage::Overtake { .. }) {
            level.push_first(lane, asked, Effect::NONE);
        } else if !self.advance() {
            return Some(Extended::Doomed);
        }
        None
    }

    /// Adds a plain access, which has no choice unless it races.
    pub(super) fn perform_plain(
        &mut self,
        lane: usize,
        asked: Asked,
        cell: CellId,
    ) -> Option<Extended> {
        let level = &mut self.levels[self.depth];
        if shadow::cell_of(&self.program, cell).is_some() {
            level.push_entry(lane, asked, Stage::Settled);
            level.push_first(lane, asked, Effect::SHADOW);
            return None;
        }
        let top = level.graph.top(cell);
        let racer = level.axioms.racer(&level.graph, lane, &asked, cell);
        let effect = match asked.op {
            Op::Write { value, .. } => Effect {
                wrote: Some(value),
                position: top + 1,
                ..Effect::NONE
            },
            _ => level.reading(&asked.op, cell, top),
        };
        level.push_entry(lane, asked, Stage::Settled);
        let id = level.push_first(lane, asked, effect);
        racer.map(|racer| Extended::Violated(Violation::DataRace { cell }, vec![racer, id]))
    }

    fn nobody_goes_on(&mut self) -> Extended {
        let mut waiting = Vec::new();
        let mut retries = false;
        for lane in 0..self.code.cpus() {
            match self.next_of(lane) {
                Some(NextRef::Asks(asked)) => {
                    waiting.push((lane, asked));
                }
                Some(NextRef::Stops(What::Retries)) => retries = true,
                _ => {}
            }
        }
        let Some(&(lane, asked)) = waiting.first() else {
            return if retries {
                Extended::Doomed
            } else {
                Extended::Complete
            };
        };
        let level = &mut self.levels[self.depth];
        level.push_entry(lane, asked, Stage::Stuck { lane: 0, nth: 0 });
        let level = &self.levels[self.depth];
        // Who has entered some of a lock's queues and waits at another one does not hold it yet, and
        // must not keep out others.
        let graph = &level.graph;
        let waits_for_nobody = |(lane, asked): &(usize, Asked)| match asked.op {
            Op::Lock { lock, mode } => holders(graph, *lane, lock, mode).next().is_none(),
            _ => false,
        };
        // And who is stuck although there is something to be read now would have read it.
        let is_late = |(lane, asked): &(usize, Asked)| level.could_end_wait(*lane, asked);
        if retries || waiting.iter().any(|w| waits_for_nobody(w) || is_late(w)) {
            return Extended::Doomed;
        }
        let is_vain = waits_in_vain(&self.program, &level.graph, &waiting);
        let waiting = waiting
            .iter()
            .map(|&(lane, asked)| (LaneId(lane as u8), asked.op))
            .collect();
        if is_vain {
            return Extended::Blocked(waiting);
        }
        Extended::Violated(Violation::Deadlock { waiting }, Vec::new())
    }
}

/// Whether a CPU that asks for this has done so much that it is taken for one that never ends.
pub(super) fn is_too_long(code: &Code, graph: &Graph, lane: usize, asked: &Asked) -> bool {
    let is_code = asked.node != NOT_CODE;
    is_code && code.is_too_long(asked.node) || graph.lane(lane).len() >= MOST_EVENTS
}

fn defect(message: String) -> Extended {
    Extended::Violated(Violation::Panic { message }, Vec::new())
}

/// What dropping a lock leads to; `None` if the CPU does not hold it.
pub(super) fn dropping(graph: &Graph, lane: usize, asked: &Asked, mode: LockMode) -> Option<Stage> {
    let queue = graph.locks().queue_of(lane, asked)?;
    let held = graph.locks().open(queue)?;
    if !graph.locks().is_in(queue, lane, mode) {
        return None;
    }
    if held.nested > 0 {
        return Some(Stage::Settled);
    }
    let overtaken = graph.event(held.taken).overtook;
    let waits = |&(taken, _): &(EventId, u32)| graph.lane(taken.lane()).len() == taken.index();
    Some(match overtaken.filter(waits) {
        Some(overtaken) => Stage::LetIn { overtaken },
        None => Stage::Settled,
    })
}
