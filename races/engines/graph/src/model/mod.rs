//! Memory models: which graphs are possible.
//!
//! A model is asked three things: how far in coherence order a CPU's next access is held back by what
//! the CPU has seen ([`Axioms::floor`]), to take note of an event that was added, and to forget the
//! last one again. That is enough, because events are only ever added at the end of program order, and
//! because of a property that SC, TSO and RC11 share: **the writes that a new read may take, and the
//! places where a new write may go, are an upper part of coherence order**. Reading from further back
//! breaks no axiom that reading from less far back would not break too.
//!
//! A model may also be asked what comes before an event in a stronger sense than program order and
//! reads-from: for data races ([`Axioms::synchronised`]), and for an order in which to tell a
//! counterexample ([`Axioms::told_before`], [`Axioms::memory_before`]).
//!
//! Nothing here decides what an event records: an [`Event`] keeps the whole
//! operation as it was asked. A model that needs more (dependencies) finds it there.

use gupcheck_sync::{CellId, Op, RmwOrder};

use super::clock::Clock;
use super::event::{Event, EventId};
use super::graph::Graph;

mod rc11;
mod sc;
mod tso;

pub(super) use rc11::Rc11;
pub(super) use sc::Sc;
pub(super) use tso::Tso;

/// How an operation touches a cell, for the question how far back it may do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It only reads (a refused conditional update included).
    Read,
    /// It only writes.
    Write,
    /// It reads and writes in one step.
    Update(RmwOrder),
}

/// What is before an event in the order in which memory is accessed: a prefix of each CPU's loads and one of
/// its stores.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    pub(super) loads: Clock,
    pub(super) stores: Clock,
}

impl Past {
    fn join(&mut self, other: &Self) {
        self.loads.join(&other.loads);
        self.stores.join(&other.stores);
    }
}

/// A memory model's view of one growing graph.
pub(super) trait Axioms: Default + Send {
    /// Forgets everything, for a program with so many CPUs.
    fn reset(&mut self, lanes: usize);

    /// Becomes what `other` is.
    fn copy(&mut self, other: &Self);

    /// The place in the coherence order of `cell` that the next event of `lane` must not stay behind: it
    /// may read from the write there or from later ones, and write after it.
    fn floor(&self, graph: &Graph, lane: usize, cell: CellId, access: Access) -> u16;

    /// Takes note of the event that was pushed last.
    fn push(&mut self, graph: &Graph, id: EventId);

    /// Forgets the event that was pushed last.
    fn pop(&mut self, id: EventId);

    /// All events that are ordered before the next event of `lane` in the sense that makes two plain
    /// accesses not a race.
    fn synchronised(&self, graph: &Graph, lane: usize) -> Clock;

    /// All events that must be told before `id`, and itself.
    fn told_before(&self, graph: &Graph, id: EventId) -> Clock;

    /// What accesses memory before `id` does, if the model has one order in which all CPUs do.
    fn memory_before(&self, graph: &Graph, id: EventId) -> Option<Past>;

    /// Whether an event may reach memory later than its CPU's next ones.
    fn is_buffered(&self, event: &Event) -> bool;
}

/// What the events that take part in a lock, a spawn or a join come after, beside program order: the
/// events that dropped the lock, did the spawning, or were the last of the CPU that is joined.
pub(super) fn edges_in(graph: &Graph, id: EventId, mut each: impl FnMut(EventId)) {
    if id.index().is_multiple_of(2)
        && let Some(errand) = graph.errand(id.lane(), id.index() / 2)
    {
        each(errand.begun);
    }
    if id.index() == 0 && !graph.spawned_by(id.lane()).is_init() {
        each(graph.spawned_by(id.lane()));
    }
    match graph.event(id).op {
        Op::Lock { .. } => {
            let locks = graph.locks();
            let queue = locks.queue_of(id.lane(), &graph.event(id).asked());
            let previous = queue.and_then(|queue| locks.section_before(queue, id));
            previous.map(|section| section.dropped).map(each);
        }
        Op::Wait(kinds) if graph.event(id).part > 0 => {
            let nth = graph.wait_of_end(id);
            let ends = graph.before_end_of_wait(id.lane(), nth, kinds);
            ends.into_iter().flatten().for_each(each);
        }
        Op::Join(other) => {
            let other = other.index();
            if graph.lane(other).is_empty() {
                if !graph.spawned_by(other).is_init() {
                    each(graph.spawned_by(other));
                }
            } else {
                each(EventId::new(other, graph.lane(other).len() - 1));
            }
        }
        _ => {}
    }
}
