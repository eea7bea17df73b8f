//! Sequential consistency.
//!
//! Axiom: `po ∪ rf ∪ co ∪ fr ∪ sec` has no cycle, with an atomic update as one event; `po` includes
//! spawning, joining, and the order of a lock's critical sections.
//!
//! * `sec` is the promise of [`Section`](gupcheck_sync::Section): for each wait, and each section of another CPU of a
//!   kind that is waited for, an edge from where the section is left to the wait's end, or one from the wait's
//!   beginning to where the section is entered ([`crate::waits`]). It is the same in TSO and RC11; LKMM orders more by it.
//! * Every fence is free.
//! * A data race is two plain accesses to one cell, one of them a write, that `(po ∪ rf)⁺` over
//!   everything leaves unordered: every reads-from edge between atomics synchronises, and so do locks.
//!   So "use after free" means: nobody told the freer that the user is done, nor the user that the
//!   thing is gone, by any message that was read.
//!
//! # How it is checked
//!
//! The transitive closure of the four relations is kept as a [`Clock`] for each event. A new event has
//! edges out of it only if it reads from a write that is not the last, or is a write that is not the
//! last: then the next write comes after it. There is a cycle just if that next write is already before
//! the new event's predecessor in program order; that is the floor. If there is none, everything that
//! is after the next write is now after the new event as well.

use gupcheck_sync::{CellId, RmwOrder};

use super::axioms::{Access, Axioms, Past, copy_kept, split_undo};
use super::edges::edges_in;
use crate::clock::Clock;
use crate::event::Event;
use crate::graph::Graph;
use crate::id::EventId;

/// Sequential consistency over one graph.
#[derive(Debug, Default)]
pub(crate) struct Sc {
    /// For each event, all that is before it in the closure, and itself.
    closure: Vec<Vec<Clock>>,
    /// Clocks that later events extended, as they were.
    undo: Vec<(EventId, Clock)>,
    /// How long `undo` was when each event was pushed.
    marks: Vec<usize>,
}

impl Sc {
    fn view(&self, graph: &Graph, lane: usize) -> Clock {
        match self.closure[lane].last() {
            Some(&clock) => clock,
            None if graph.spawned_by(lane).is_init() => Clock::EMPTY,
            None => self.of(graph.spawned_by(lane)),
        }
    }

    fn of(&self, id: EventId) -> Clock {
        self.closure[id.lane()][id.index()]
    }

    /// All that is after `target` is now after whatever `clock` holds.
    fn propagate(&mut self, target: EventId, clock: &Clock) {
        for (lane, clocks) in self.closure.iter_mut().enumerate() {
            for (index, later) in clocks.iter_mut().enumerate().rev() {
                if !later.has(target) {
                    break; // what is not after it has no predecessor that is
                }
                self.undo.push((EventId::new(lane, index), *later));
                later.join(clock);
            }
        }
    }
}

impl Axioms for Sc {
    fn is_fence(_: RmwOrder) -> bool {
        false
    }

    fn reset(&mut self, lanes: usize) {
        self.closure.resize_with(lanes, Vec::new);
        self.closure.iter_mut().for_each(Vec::clear);
        self.undo.clear();
        self.marks.clear();
    }

    fn copy(&mut self, other: &Self, kept: &Clock, _: Option<EventId>) {
        copy_kept(&mut self.closure, &other.closure, kept);
        let count = self.closure.iter().map(Vec::len).sum();
        let (before, after) = split_undo(&other.undo, &other.marks, count);
        self.undo.clear();
        self.undo.extend_from_slice(before);
        self.marks.clear();
        self.marks.extend_from_slice(&other.marks[..count]);
        for &(id, clock) in after.iter().rev() {
            if let Some(later) = self.closure[id.lane()].get_mut(id.index()) {
                *later = clock;
            }
        }
    }

    fn floor(&self, graph: &Graph, lane: usize, cell: CellId, _: Access) -> u16 {
        graph.furthest(cell, &self.view(graph, lane))
    }

    fn push(&mut self, graph: &Graph, id: EventId) {
        self.marks.push(self.undo.len());
        let event = graph.event(id);
        let mut clock = self.view(graph, id.lane());
        clock.set(id.lane(), id.index() as u16 + 1);
        edges_in(graph, id, |before| clock.join(&self.of(before)));
        let mut next = None;
        if event.reads || event.writes {
            let cell = CellId(event.cell);
            if event.reads && !event.source.is_init() {
                clock.join(&self.of(event.source));
            }
            let standing = graph.standing(event);
            if event.writes {
                let previous = graph.write_at(cell, standing - 1);
                if !previous.is_init() {
                    clock.join(&self.of(previous));
                }
                for &read in graph.reads(cell) {
                    if read != id && graph.event(read).source == previous {
                        clock.join(&self.of(read));
                    }
                }
            }
            if standing < graph.top(cell) {
                next = Some(graph.write_at(cell, standing + 1));
            }
        }
        if let Some(next) = next {
            self.propagate(next, &clock);
        }
        self.closure[id.lane()].push(clock);
    }

    fn pop(&mut self, id: EventId) {
        self.closure[id.lane()].pop();
        let mark = self.marks.pop().expect("pushed");
        for (id, clock) in self.undo.drain(mark..).rev() {
            self.closure[id.lane()][id.index()] = clock;
        }
    }

    fn synchronised(&self, graph: &Graph, lane: usize) -> Clock {
        graph.before(lane)
    }

    fn synchronised_at(&self, graph: &Graph, id: EventId) -> Clock {
        graph.event(id).before
    }

    fn told_before(&self, _: &Graph, id: EventId) -> Clock {
        self.of(id)
    }

    fn memory_before(&self, _: &Graph, id: EventId) -> Option<Past> {
        let (loads, stores) = (self.of(id), self.of(id));
        Some(Past { loads, stores })
    }

    fn is_buffered(&self, _: &Event) -> bool {
        false
    }
}
