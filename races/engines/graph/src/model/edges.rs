//! Which order events of different CPUs are in, whatever the model: that of locks, of starting and ending, of waits.

use gupcheck_sync::Op;

use crate::graph::Graph;
use crate::id::EventId;

/// What the events that take part in a lock, a spawn, a join or a wait come after, beside program order: the
/// events that dropped the lock, did the spawning, or were the last of the CPU that is joined; for a courier the
/// beginning of its wait, for the end of a wait the sections that it waited for.
pub(super) fn edges_in(graph: &Graph, id: EventId, mut each: impl FnMut(EventId)) {
    if id.index().is_multiple_of(2)
        && let Some(arrival) = graph.arrival(id.lane(), id.index() / 2)
    {
        each(arrival.begun);
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
