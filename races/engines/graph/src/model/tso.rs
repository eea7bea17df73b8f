//! Total store order: x86.
//!
//! Axioms, with an atomic update as one event:
//! 1. per cell, `po ∪ rf ∪ co ∪ fr` has no cycle (coherence);
//! 2. `ppo ∪ rfe ∪ co ∪ fr ∪ sec` has no cycle, where `ppo` is program order without the pairs of a store
//!    and a later load, and `rfe` is reads-from between different CPUs: a CPU sees its own stores
//!    while they still wait in its store buffer.
//!
//! * An atomic update that writes, an SC fence and the taking of a lock drain the store buffer: they
//!   are ordered with everything before and after. Acquire and release fences are free.
//! * A refused conditional update is a load. One that is carried out all the same (`lock cmpxchg`, `lock bts`) drains
//!   the store buffer as one that writes does; one that looks first and goes no further (`atomic_add_unless`) orders
//!   no more than a load.
//! * Dropping a lock is a store. Spawning and joining order everything.
//! * A wait begins and ends with a fence; `sec` is that of [`sc`](super::sc). Leaving a section is like a store, which comes
//!   after all that the CPU did before, stores included, and which no fence follows. Entering one is like a load:
//!   what the CPU does later comes after it, stores of before may still wait in its buffer.
//! * A data race is defined as under SC: `(po ∪ rf)⁺` leaves two conflicting plain accesses unordered.
//!
//! # How it is checked
//!
//! As under SC, by the closure of the relation of axiom 2. That relation does not contain program
//! order, but it contains the program order of a CPU's loads, and that of its stores. So each set of
//! predecessors is two clocks: how many loads, and how many stores (in both cases counted by their
//! place in program order); what drains the buffer is in both. Axiom 1 is a matter of where the
//! CPU's own last access to the cell stands.

use gupcheck_sync::{CellId, FenceOrder, Op, RmwOrder};

use super::axioms::{Access, Axioms, Past, copy_kept, split_undo};
use super::edges::edges_in;
use crate::clock::Clock;
use crate::event::Event;
use crate::graph::Graph;
use crate::id::EventId;

#[derive(Clone, Copy, Debug, Default)]
struct Local {
    /// What is before the event, and itself.
    past: Past,
    /// The CPU's last event up to here that counts as a load, and as a store: index and one more, or 0.
    last_load: u16,
    last_store: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Load,
    Store,
    Both,
    Neither,
}

fn half(event: &Event) -> Half {
    match event.op {
        Op::Fence(FenceOrder::SeqCst)
        | Op::Lock { .. }
        | Op::Wait(_)
        | Op::Spawn(_)
        | Op::Join(_) => Half::Both,
        Op::Fence(_) => Half::Neither,
        Op::Unlock { .. } | Op::Leave(_) => Half::Store,
        Op::Enter(_) => Half::Load,
        // The part of entering a section that only the engine knows of.
        _ if event.part > 0 => Half::Load,
        _ if event.granted || event.is_second => Half::Both,
        Op::Rmw { rmw, .. } if rmw.is_carried_out_when_refused() => Half::Both,
        _ if event.writes => Half::Store,
        _ => Half::Load,
    }
}

/// Total store order over one graph.
#[derive(Debug, Default)]
pub(crate) struct Tso {
    locals: Vec<Vec<Local>>,
    undo: Vec<(EventId, Past)>,
    marks: Vec<usize>,
}

impl Tso {
    fn of(&self, id: EventId) -> &Past {
        &self.locals[id.lane()][id.index()].past
    }

    /// What is before the next event of a CPU, if it is ordered after the CPU's loads, and perhaps
    /// after its stores.
    fn view(&self, graph: &Graph, lane: usize, after_stores: bool) -> Past {
        let mut past = match graph.spawned_by(lane) {
            EventId::INIT => Past::default(),
            spawn => *self.of(spawn),
        };
        if let Some(last) = self.locals[lane].last() {
            if last.last_load > 0 {
                past.join(&self.locals[lane][usize::from(last.last_load) - 1].past);
            }
            if after_stores && last.last_store > 0 {
                past.join(&self.locals[lane][usize::from(last.last_store) - 1].past);
            }
        }
        past
    }

    fn contains(graph: &Graph, past: &Past, id: EventId) -> bool {
        match half(graph.event(id)) {
            Half::Load => past.loads.has(id),
            Half::Store => past.stores.has(id),
            Half::Both => past.loads.has(id) && past.stores.has(id),
            Half::Neither => false,
        }
    }

    fn propagate(&mut self, graph: &Graph, target: EventId, past: &Past) {
        for lane in 0..self.locals.len() {
            for index in 0..self.locals[lane].len() {
                if Self::contains(graph, &self.locals[lane][index].past, target) {
                    let local = &mut self.locals[lane][index];
                    self.undo.push((EventId::new(lane, index), local.past));
                    local.past.join(past);
                }
            }
        }
    }

    /// The last write to the cell among the stores in `seen`.
    fn last_store_in(graph: &Graph, cell: CellId, past: &Past) -> u16 {
        let mut furthest = 0;
        for lane in 0..graph.lanes() {
            let seen = past.stores.get(lane).max(past.loads.get(lane));
            let mut access = graph.last_access(cell, lane, seen);
            while let Some(id) = access {
                if graph.event(id).writes && Self::contains(graph, past, id) {
                    furthest = furthest.max(graph.event(id).position);
                    break;
                }
                access = graph.access_before(id);
            }
        }
        furthest
    }

    fn edges(&self, graph: &Graph, id: EventId, past: &mut Past) {
        let event = graph.event(id);
        if !event.reads && !event.writes {
            return;
        }
        if event.reads && !event.source.is_init() && event.source.lane() != id.lane() {
            past.join(self.of(event.source));
        }
        if event.writes {
            let cell = CellId(event.cell);
            let previous = graph.write_at(cell, event.position - 1);
            if !previous.is_init() {
                past.join(self.of(previous));
            }
            for &read in graph.reads(cell) {
                if read != id && graph.event(read).source == previous {
                    past.join(self.of(read));
                }
            }
        }
    }
}

impl Axioms for Tso {
    fn is_fence(_: RmwOrder) -> bool {
        true
    }

    fn reset(&mut self, lanes: usize) {
        self.locals.resize_with(lanes, Vec::new);
        self.locals.iter_mut().for_each(Vec::clear);
        self.undo.clear();
        self.marks.clear();
    }

    fn copy(&mut self, other: &Self, kept: &Clock, _: Option<EventId>) {
        copy_kept(&mut self.locals, &other.locals, kept);
        let count = self.locals.iter().map(Vec::len).sum();
        let (before, after) = split_undo(&other.undo, &other.marks, count);
        self.undo.clear();
        self.undo.extend_from_slice(before);
        self.marks.clear();
        self.marks.extend_from_slice(&other.marks[..count]);
        for &(id, past) in after.iter().rev() {
            if let Some(later) = self.locals[id.lane()].get_mut(id.index()) {
                later.past = past;
            }
        }
    }

    fn floor(&self, graph: &Graph, lane: usize, cell: CellId, access: Access) -> u16 {
        let past = self.view(graph, lane, access != Access::Read);
        let own = graph.last_access(cell, lane, u16::MAX);
        let own = own.map_or(0, |id| graph.standing(graph.event(id)));
        own.max(Self::last_store_in(graph, cell, &past))
    }

    fn push(&mut self, graph: &Graph, id: EventId) {
        self.marks.push(self.undo.len());
        let (event, lane) = (graph.event(id), id.lane());
        let half = half(event);
        let count = id.index() as u16 + 1;
        let mut past = self.view(graph, lane, half != Half::Load);
        edges_in(graph, id, |before| past.join(self.of(before)));
        if let Op::Join(other) = event.op {
            past.join(&self.view(graph, other.index(), true));
        }
        self.edges(graph, id, &mut past);
        let mut local = self.locals[lane].last().copied().unwrap_or_default();
        if matches!(half, Half::Load | Half::Both) {
            past.loads.set(lane, count);
            local.last_load = count;
        }
        if matches!(half, Half::Store | Half::Both) {
            past.stores.set(lane, count);
            local.last_store = count;
        }
        if event.reads || event.writes {
            let (cell, standing) = (CellId(event.cell), graph.standing(event));
            if standing < graph.top(cell) {
                let next = graph.write_at(cell, standing + 1);
                self.propagate(graph, next, &past);
            }
        }
        local.past = past;
        self.locals[lane].push(local);
    }

    fn pop(&mut self, id: EventId) {
        self.locals[id.lane()].pop();
        let mark = self.marks.pop().expect("pushed");
        for (id, past) in self.undo.drain(mark..).rev() {
            self.locals[id.lane()][id.index()].past = past;
        }
    }

    fn synchronised(&self, graph: &Graph, lane: usize) -> Clock {
        graph.before(lane)
    }

    fn synchronised_at(&self, graph: &Graph, id: EventId) -> Clock {
        graph.event(id).before
    }

    fn told_before(&self, graph: &Graph, id: EventId) -> Clock {
        graph.event(id).before
    }

    fn memory_before(&self, _: &Graph, id: EventId) -> Option<Past> {
        Some(*self.of(id))
    }

    fn is_buffered(&self, event: &Event) -> bool {
        half(event) == Half::Store
    }
}
