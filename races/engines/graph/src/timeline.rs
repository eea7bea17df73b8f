//! A graph as what could have been watched: the operations of all CPUs one after the other, and the stores
//! that reach memory later than they were done.
//!
//! Where a model has one order in which memory is accessed (SC, TSO), every read of a timeline gets what is in
//! memory then, or what its own CPU has still to write. A store that had to wait is told twice: when its
//! CPU did it, and when it left the store buffer. It leaves as soon as it may.
//!
//! RC11 has no such order. There a timeline is the order that is given, which keeps program order and
//! reads-from; what is stale in it is for the reader to be told.

use std::ops::Range;

use gupcheck_sync::Op;

use super::clock::Clock;
use super::event::Event;
use super::graph::Graph;
use super::id::EventId;
use super::model::Axioms;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A CPU's event.
    Event(EventId),
    /// A store of before reaches memory.
    Drained(EventId),
}

/// The events of `order`, with as few of them moved as the model's order of memory asks for. `order` keeps
/// program order; the parts of an operation stand side by side in it.
pub(super) fn timeline<A: Axioms>(graph: &Graph, axioms: &A, order: &[EventId]) -> Vec<Told> {
    let mut timeline = Timeline {
        graph,
        axioms,
        wanted: Clock::EMPTY,
        done: Clock::EMPTY,
        drained: Clock::EMPTY,
        told: Vec::with_capacity(order.len()),
    };
    for id in order {
        let count = timeline.wanted.get(id.lane()).max(id.index() as u16 + 1);
        timeline.wanted.set(id.lane(), count);
    }
    let mut left = operations(graph, order);
    while !left.is_empty() {
        let next = left.iter().position(|events| timeline.is_ready(events));
        debug_assert!(next.is_some(), "the model's order has a cycle");
        timeline.perform(left.remove(next.unwrap_or(0)));
    }
    timeline.told
}

/// The events of a timeline without the rest.
pub(super) fn events(timeline: &[Told]) -> Vec<EventId> {
    let event = |told: &Told| match told {
        Told::Event(id) => Some(*id),
        Told::Drained(_) => None,
    };
    timeline.iter().filter_map(event).collect()
}

/// Whether an event goes on with the operation that the event before it began.
pub(super) fn is_part(event: &Event) -> bool {
    let is_end_of_wait = matches!(event.op, Op::Wait(_));
    event.is_second || (event.part > 0 && !is_end_of_wait)
}

/// A CPU's events that nothing can come between.
type Operation = (usize, Range<usize>);

fn operations(graph: &Graph, order: &[EventId]) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    for &id in order {
        match operations.last_mut() {
            Some((lane, events)) if *lane == id.lane() && is_part(graph.event(id)) => {
                events.end = id.index() + 1;
            }
            _ => operations.push((id.lane(), id.index()..id.index() + 1)),
        }
    }
    operations
}

struct Timeline<'g, A> {
    graph: &'g Graph,
    axioms: &'g A,
    /// How many events of each CPU are told in the end.
    wanted: Clock,
    /// How many have been done.
    done: Clock,
    /// How many of each CPU's events stand before the first that waits in its store buffer.
    drained: Clock,
    told: Vec<Told>,
}

impl<A: Axioms> Timeline<'_, A> {
    /// Whether memory is as an event needs it to be, those of its own operation (from `first` on) aside.
    fn may_touch_memory(&self, id: EventId, first: usize) -> bool {
        let Some(past) = self.axioms.memory_before(self.graph, id) else {
            return true;
        };
        (0..self.graph.lanes()).all(|lane| {
            // What happens in the end only, and of its own CPU only what was before the operation.
            let most = if lane == id.lane() {
                first as u16
            } else {
                self.wanted.get(lane)
            };
            past.loads.get(lane).min(most) <= self.done.get(lane)
                && past.stores.get(lane).min(most) <= self.drained.get(lane)
        })
    }

    fn is_ready(&self, (lane, events): &Operation) -> bool {
        events.start == usize::from(self.done.get(*lane))
            && events.clone().all(|index| {
                let id = EventId::new(*lane, index);
                self.axioms.is_buffered(self.graph.event(id))
                    || self.may_touch_memory(id, events.start)
            })
    }

    fn perform(&mut self, (lane, events): Operation) {
        for index in events {
            self.told.push(Told::Event(EventId::new(lane, index)));
            self.done.set(lane, index as u16 + 1);
        }
        self.drain();
    }

    /// Lets every store reach memory that may.
    fn drain(&mut self) {
        let mut lane = 0;
        while lane < self.graph.lanes() {
            if self.drain_one(lane) {
                lane = 0;
            } else {
                lane += 1;
            }
        }
    }

    /// Goes on in a CPU's store buffer by one event; whether it could.
    fn drain_one(&mut self, lane: usize) -> bool {
        let index = self.drained.get(lane);
        if index >= self.done.get(lane) {
            return false;
        }
        let id = EventId::new(lane, usize::from(index));
        if self.axioms.is_buffered(self.graph.event(id)) {
            if !self.may_touch_memory(id, id.index()) {
                return false;
            }
            if self.told.last() != Some(&Told::Event(id)) {
                self.told.push(Told::Drained(id));
            }
        }
        self.drained.set(lane, index + 1);
        true
    }
}
