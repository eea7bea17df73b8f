//! What is asked of a model.

use gupcheck_sync::{CellId, Op, RmwOrder};

use crate::clock::Clock;
use crate::event::{Asked, Event};
use crate::graph::Graph;
use crate::id::EventId;

/// How an operation touches a cell, for the question how far back it may do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It only reads (a refused conditional update included).
    Read,
    /// It only reads, and is an atomic instruction all the same: a refused update that is carried out
    /// ([`Rmw::is_carried_out_when_refused`](gupcheck_sync::Rmw::is_carried_out_when_refused)).
    Refused,
    /// It only writes.
    Write,
    /// It reads and writes in one step.
    Update(RmwOrder),
}

/// What is before an event in the order in which memory is accessed: a prefix of each CPU's loads and one of
/// its stores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    pub(crate) loads: Clock,
    pub(crate) stores: Clock,
}

impl Past {
    pub(super) fn join(&mut self, other: &Self) {
        self.loads.join(&other.loads);
        self.stores.join(&other.stores);
    }
}

/// A memory model's view of one growing graph.
pub(crate) trait Axioms: Default + Send {
    /// Whether an update with this order, that is granted, orders its CPU's accesses to other cells as a fence does.
    fn is_fence(order: RmwOrder) -> bool;

    /// Forgets everything, for a program with so many lanes, CPUs and couriers.
    fn reset(&mut self, lanes: usize);

    /// Becomes what `other` was when it knew so many events of each lane, and `next` was to come; what it is, if
    /// nothing was.
    fn copy(&mut self, other: &Self, kept: &Clock, next: Option<EventId>);

    /// The place in the coherence order of `cell` that the next event of `lane` must not stay behind: it
    /// may read from the write there or from later ones, and write after it.
    fn floor(&self, graph: &Graph, lane: usize, cell: CellId, access: Access) -> u16;

    /// Whether the next event of `lane` may read the write at a position of `cell` that is not the last one, or write right
    /// after it; `granted`, if it is an update that is. Asked of places from the floor on, of a model of which the places that
    /// it allows are not an upper part of coherence order.
    fn permits(
        &self,
        graph: &Graph,
        (lane, asked): (usize, &Asked),
        granted: bool,
        (cell, position): (CellId, u16),
    ) -> bool {
        let _ = (graph, lane, asked, granted, cell, position);
        true
    }

    /// Whether there are loads that may do so: see [`Axioms::may_read_floor`].
    const KNOWS_DOMINATED_READS: bool = false;

    /// Whether the model leaves it to a load, the next event of `lane`, to read the write at its floor rather than a
    /// later one with the same answer: that orders less, and forbids nothing. See [`crate::dominated`].
    fn may_read_floor(&self, graph: &Graph, lane: usize, op: &Op, floor: EventId) -> bool {
        let _ = (graph, lane, op, floor);
        false
    }

    /// Takes note of the event that was pushed last.
    fn push(&mut self, graph: &Graph, id: EventId);

    /// Forgets the event that was pushed last.
    fn pop(&mut self, id: EventId);

    /// An access of the graph that races with the next event of `lane`, a plain access to `cell`.
    fn racer(&self, graph: &Graph, lane: usize, asked: &Asked, cell: CellId) -> Option<EventId> {
        let seen = self.synchronised(graph, lane);
        let writes = matches!(asked.op, Op::Write { .. });
        graph.last_conflicting(lane, cell, writes, |id| seen.has(id))
    }

    /// Whether a race says nothing of what comes after it, so that a program may go on.
    const FLAGS_RACES: bool = false;

    /// Whether two accesses of different CPUs race that conflict, one of them [a shadow](crate::shadow), the other one too or
    /// marked.
    fn race(&self, graph: &Graph, one: EventId, other: EventId) -> bool {
        let is_before = |early, late| self.synchronised_at(graph, late).has(early);
        !is_before(one, other) && !is_before(other, one)
    }

    /// Whether the model allows what shadowed accesses see and leave, now that the execution has ended.
    fn allows_shadowed(&self, graph: &Graph) -> bool {
        let _ = graph;
        true
    }

    /// All events that are ordered before the next event of `lane` in the sense that makes two plain
    /// accesses not a race.
    fn synchronised(&self, graph: &Graph, lane: usize) -> Clock;

    /// All events that are ordered before `id` in that sense, and itself.
    fn synchronised_at(&self, graph: &Graph, id: EventId) -> Clock;

    /// All events that must be told before `id`, and itself.
    fn told_before(&self, graph: &Graph, id: EventId) -> Clock;

    /// What accesses memory before `id` does, if the model has one order in which all CPUs do.
    fn memory_before(&self, graph: &Graph, id: EventId) -> Option<Past>;

    /// Whether an event may reach memory later than its CPU's next ones.
    fn is_buffered(&self, event: &Event) -> bool;
}

/// Copies what is known of so many events of each lane.
pub(super) fn copy_kept<T: Copy>(to: &mut [Vec<T>], from: &[Vec<T>], kept: &Clock) {
    for (lane, (to, from)) in to.iter_mut().zip(from).enumerate() {
        to.clear();
        to.extend_from_slice(&from[..usize::from(kept.get(lane))]);
    }
}

/// What so many events have put down for when they are taken back, and what later ones have; `marks` has how much there was
/// before each.
pub(super) fn split_undo<'u, T>(
    undo: &'u [T],
    marks: &[usize],
    count: usize,
) -> (&'u [T], &'u [T]) {
    undo.split_at(marks.get(count).copied().unwrap_or(undo.len()))
}
