//! LKMM, the Linux kernel's own model (`tools/memory-model` of v6.8), without load buffering.
//!
//! Its names stand in quotes. Reads and writes are those of cells that are not plain, and of locks: taking one is a
//! read that acquires and a write, dropping one is a write that releases.
//!
//! 1. Coherence, "coherence": per cell, `po ∪ rf ∪ co ∪ fr` has no cycle. Atomicity, "atomic": an update is next after its
//!    source.
//! 2. What a CPU does in its own order, "ppo": two of its accesses with a full barrier between them; whatever follows an
//!    acquire; whatever precedes a release; reads around `smp_rmb`, of which the read of a void update is none; writes
//!    around `smp_wmb`; an access and a later write of the same cell; an access before a lock is dropped, and one after
//!    a lock is taken later; a read that the CPU looks at, and a later write ("ctrl"). No other program order counts.
//! 3. "cumul-fence", what spreads: `smp_wmb`; dropping a lock, and taking it next, by whoever; a full barrier or a release, before
//!    which the CPU may as well have read what is to spread. And on along updates of what was written.
//! 4. "prop": a write that is overwritten, or a read of what was there before, by another CPU (or nothing); then cumul-fences,
//!    any number; then another CPU's read (or nothing).
//! 5. "hb": ppo, reads-from between CPUs, and prop from a CPU's access to another one of its own. No cycle: "happens-before".
//! 6. "pb": prop, a full barrier, hb, any number. No cycle of pb and hb: "propagation".
//! 7. "rcu": for each wait and each section, as they are in the graph, either all that precedes the end of the section is ordered
//!    before all that follows the end of the wait, or all that precedes the beginning of the wait before all that follows the beginning of
//!    the section; as a full barrier orders it, in 6. This is the *fundamental law of RCU*, of which the axioms of "rb" and
//!    "rcu-order" say when such choices are possible (Alglave, Maranget, McKenney, Parri, Stern: ASPLOS 2018, theorem 1).
//!    Spawning and joining order in the same way.
//! 8. `po ∪ rf`, with sections, waits and locks, has no cycle: **no load buffering**, which the kernel's model allows
//!    where no dependency is in its way.
//!
//! * An update with `Full` is a full barrier, a relaxed update, and a full barrier, if it is not refused; a wait is a full barrier.
//! * Dependencies are what the code says of an operation ([`gupcheck_sync::Depends`]), and what is carried by what the CPU has stored and
//!   loaded again ("carry-dep"). Of an operation of which nothing is said it is assumed that a read whose answer the CPU got, decides
//!   about it ("ctrl"), that nothing is computed from data, and that an access to a part of an object depends in its address on all
//!   earlier reads that led there as heads of a dependency.
//! * Plain accesses take no part, but that a dependency goes on through them, and that `smp_wmb` orders a plain store whose place
//!   depends on something ("addr; \[Plain\]; wmb"). How they are ordered among themselves, [`plain`] says.
//! * What only one CPU touches may be left out ([`crate::touches`]): such an access orders nothing. In LKMM it
//!   may be a link of ppo.
//!
//! # Why a graph can be checked as it grows
//!
//! Each of these relations grows with the graph: they are made of po, rf, co, fr, and of what events are, without any
//! negation. So a cycle never goes away. It is true of each:
//!
//! * ppo between two events is decided when the later one is there, by what is between them. That includes barriers: one that comes
//!   after both says nothing of them.
//! * A full barrier that nothing follows orders nothing yet. What is added later is its target, not its source.
//! * A section that has not ended orders nothing for the wait; but then the wait has not ended in the graph either
//!   ([`crate::arrival`]), and nothing follows it.
//! * A lock's sections are in the order in which they are in the graph.
//!
//! And a new event is the last of its CPU: no ppo leaves it, nothing that spreads does, nobody has read what it writes. All
//! that leaves it goes to the writes of its cell that stand behind it, if they are of other CPUs. So whoever reads from
//! the last write, or writes in the last place, closes no cycle. That is what the search needs to go on ([`super`]), and
//! only for the other places there is something to check: whether a path leads from those writes
//! back to the new event. [`paths`](super::paths) looks for it.
//!
//! Unlike under the other models, that may be so of a place and not of an earlier one: a CPU may read what is long
//! outdated, because the read was early, or what is new, and nothing between.

use gupcheck_sync::{CellId, Op, RmwOrder};

use super::axioms::{Access, Axioms, Past};
use super::locals::Locals;
use super::paths::{Next, Paths};
use super::plain::{self, Earlier, Later};
use super::rc11::Rc11;
use super::side::{Kind, Side, is_plain};
use super::surely::is_full;
use crate::clock::Clock;
use crate::event::{Asked, Event};
use crate::graph::Graph;
use crate::id::EventId;

/// LKMM over one graph.
#[derive(Debug, Default)]
pub(crate) struct Lkmm {
    /// What counterexamples and claims are told by.
    happened: Rc11,
    locals: Locals,
}

impl Axioms for Lkmm {
    const FLAGS_RACES: bool = true;

    fn is_fence(order: RmwOrder) -> bool {
        order == RmwOrder::Full
    }

    fn reset(&mut self, lanes: usize) {
        self.happened.reset(lanes);
        self.locals.reset(lanes);
    }

    fn copy(&mut self, other: &Self, kept: &Clock, next: Option<EventId>) {
        self.happened.copy(&other.happened, kept, next);
        self.locals.copy(&other.locals, kept);
    }

    fn floor(&self, graph: &Graph, lane: usize, cell: CellId, _: Access) -> u16 {
        if graph.waits().is_own(cell.0) {
            return graph.furthest(cell, &graph.before(lane));
        }
        let mut seen = self.locals.next(graph, lane).ordered;
        seen.set(lane, u16::MAX);
        let mut floor = 0;
        for other in 0..graph.lanes() {
            let mut access = graph.last_access(cell, other, seen.get(other));
            while let Some(id) = access {
                let event = graph.event(id);
                // What a plain read of another CPU has seen, says nothing of what is seen later.
                if other == lane || event.writes || !is_plain(event) {
                    floor = floor.max(graph.standing(event));
                    break;
                }
                access = graph.access_before(id);
            }
        }
        floor
    }

    fn permits(
        &self,
        graph: &Graph,
        (lane, asked): (usize, &Asked),
        granted: bool,
        (cell, position): (CellId, u16),
    ) -> bool {
        // Who arrives, and who enters, each reads from the one before: no order but that, and what the search sees to.
        if graph.waits().is_own(cell.0) {
            return true;
        }
        // A plain access is in order with its own CPU's, and what others do is looked at when all is over.
        if graph.is_behind_shadow(lane) {
            return true;
        }
        let mut local = self.locals.next(graph, lane);
        local.depends = (self.locals).carried(graph, lane, (asked.nth, asked.depends));
        local.barriers.full += u16::from(granted && is_full(&asked.op));
        let next = Next::new(graph, lane, asked, (cell, position), &local);
        !Paths::from(graph, &self.locals, &next).lead_back()
    }

    fn push(&mut self, graph: &Graph, id: EventId) {
        self.happened.push(graph, id);
        self.locals.push(graph, id);
    }

    fn pop(&mut self, id: EventId) {
        self.happened.pop(id);
        self.locals.pop(id);
    }

    fn racer(&self, graph: &Graph, lane: usize, asked: &Asked, cell: CellId) -> Option<EventId> {
        let local = self.locals.next(graph, lane);
        let writes = matches!(asked.op, Op::Write { .. });
        let later = Later {
            lane,
            index: graph.lane(lane).len(),
            side: Side {
                kind: Kind::of_plain(!writes),
                barriers: local.barriers,
                cell: cell.0,
                object: graph.object_of(cell.0),
                leads_to: 0,
                nth: asked.nth,
                depends: (self.locals).carried(graph, lane, (asked.nth, asked.depends)),
                source: EventId::INIT,
            },
            is_plain: true,
        };
        let others = (0..graph.lanes()).filter(|&other| other != lane);
        others.into_iter().find_map(|other| {
            let mut access = graph.last_access(cell, other, u16::MAX);
            while let Some(id) = access.filter(|&id| !local.surely.before.has(id)) {
                let conflicts = writes || graph.event(id).writes;
                let is_ordered = |earlier: Earlier<'_>| earlier.is_ordered_before(&later);
                if conflicts && !Earlier::new(graph, &self.locals, id).is_some_and(is_ordered) {
                    return Some(id);
                }
                access = graph.access_before(id);
            }
            None
        })
    }

    fn race(&self, graph: &Graph, one: EventId, other: EventId) -> bool {
        // A shadow stands for what comes right behind it.
        let access = |id: EventId| {
            let behind = usize::from(graph.event(id).is_shadow());
            EventId::new(id.lane(), id.index() + behind)
        };
        let (one, other) = (access(one), access(other));
        let both_are_there = graph.has(one) && graph.has(other);
        both_are_there && plain::race(graph, &self.locals, one, other)
    }

    fn allows_shadowed(&self, graph: &Graph) -> bool {
        plain::is_coherent(graph, &self.locals)
    }

    fn synchronised(&self, graph: &Graph, lane: usize) -> Clock {
        self.happened.synchronised(graph, lane)
    }

    fn synchronised_at(&self, graph: &Graph, id: EventId) -> Clock {
        self.happened.synchronised_at(graph, id)
    }

    fn told_before(&self, graph: &Graph, id: EventId) -> Clock {
        graph.event(id).before
    }

    fn memory_before(&self, _: &Graph, _: EventId) -> Option<Past> {
        None
    }

    fn is_buffered(&self, _: &Event) -> bool {
        false
    }
}
