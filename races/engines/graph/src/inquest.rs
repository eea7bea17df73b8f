//! What comes before the taking of a unit, and what after it: the order that [`claims`](super::claims) tells of.

use gupcheck_program::witness::Witness;
use gupcheck_sync::{CellId, FenceOrder, Op};

use super::clock::Clock;
use super::event::Event;
use super::graph::Graph;
use super::heard::Heard;
use super::id::EventId;
use super::level::Level;
use super::model::Axioms;

/// Whether an event is a full barrier under RC11, and what comes after it in program order comes after it.
fn is_barrier<A: Axioms>(event: &Event) -> bool {
    match event.op {
        Op::Fence(FenceOrder::SeqCst) | Op::Wait(_) => true,
        Op::Rmw { order, .. } => event.is_second && A::is_fence(order),
        _ => false,
    }
}

/// One unit, and the order around it.
pub(super) struct Inquest<'l, A> {
    pub(super) level: &'l Level<A>,
    pub(super) witness: &'l dyn Witness,
    heard: &'l Heard,
    pub(super) lane: usize,
    pub(super) taken: EventId,
    /// Under RC11, what comes before the taking by (1) and (2).
    before: Clock,
    /// Under RC11, the barriers from there on, what comes before each, and the writes that (3) puts after it.
    pub(super) barriers: Vec<(Clock, Vec<EventId>)>,
}

impl<'l, A: Axioms> Inquest<'l, A> {
    pub(super) fn of(
        level: &'l Level<A>,
        (witness, heard): (&'l dyn Witness, &'l Heard),
        lane: usize,
        taken: EventId,
    ) -> Self {
        let mut inquest = Self {
            level,
            witness,
            heard,
            lane,
            taken,
            before: Clock::EMPTY,
            barriers: Vec::new(),
        };
        if level.axioms.memory_before(&level.graph, taken).is_none() {
            inquest.hear();
        }
        inquest
    }

    pub(super) fn graph(&self) -> &'l Graph {
        &self.level.graph
    }

    /// Goes through what the CPU has read, under RC11.
    fn hear(&mut self) {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        let mut read = Clock::EMPTY;
        for (index, event) in graph.lane(self.lane).iter().enumerate() {
            if self.reads_shown(event) {
                if !event.source.is_init() {
                    read.join(&axioms.synchronised_at(graph, event.source));
                }
                if let Some((before, missed)) = self.barriers.last_mut() {
                    let position = usize::from(graph.position(event.source));
                    let later = &graph.writes(CellId(event.cell))[position..];
                    missed.extend(later.iter().filter(|&&write| !before.has(write)));
                }
            }
            let is_barrier = index >= self.taken.index() && is_barrier::<A>(event);
            if is_barrier || index == self.taken.index() {
                let mut known = axioms.synchronised_at(graph, EventId::new(self.lane, index));
                known.join(&read);
                if index == self.taken.index() {
                    self.before = known;
                }
                if is_barrier {
                    self.barriers.push((known, Vec::new()));
                }
            }
        }
    }

    fn reads_shown(&self, event: &Event) -> bool {
        event.reads && self.heard.is_shown(event.cell)
    }

    /// What comes before one of the CPU's events by (1) and (2), and itself.
    pub(super) fn known_at(&self, index: usize) -> Clock {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        let mut known = axioms.synchronised_at(graph, EventId::new(self.lane, index));
        for event in &graph.lane(self.lane)[..=index] {
            if self.reads_shown(event) && !event.source.is_init() {
                known.join(&axioms.synchronised_at(graph, event.source));
            }
        }
        known
    }

    /// The event with which the CPU ends: the last one that waits in no buffer.
    pub(super) fn last(&self) -> EventId {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        let own = (0..graph.lane(self.lane).len()).map(|index| EventId::new(self.lane, index));
        let is_there = |id: &EventId| {
            (axioms.memory_before(graph, *id)).is_none_or(|past| past.loads.has(*id))
        };
        own.rev().find(is_there).unwrap_or(self.taken)
    }

    /// Whether a write comes after the taking.
    fn is_after(&self, write: EventId) -> bool {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        if let Some(past) = axioms.memory_before(graph, write) {
            return past.stores.has(self.taken);
        }
        let happened = axioms.synchronised_at(graph, write);
        happened.has(self.taken)
            || (self.barriers.iter()).any(|(_, missed)| missed.iter().any(|&m| happened.has(m)))
    }

    /// Whether a write comes before the taking.
    fn is_before(&self, write: EventId) -> bool {
        match (self.level.axioms).memory_before(self.graph(), self.taken) {
            Some(past) => past.stores.has(write),
            None => self.before.has(write),
        }
    }

    /// What a cell holds when the unit is taken, if there is but one answer.
    pub(super) fn value(&self, cell: CellId) -> Option<u64> {
        let graph = self.graph();
        for &write in graph.writes(cell).iter().rev() {
            if self.is_before(write) {
                return Some(graph.event(write).wrote);
            }
            if !self.is_after(write) {
                return None;
            }
        }
        Some(graph.value_at(cell, 0))
    }
}
