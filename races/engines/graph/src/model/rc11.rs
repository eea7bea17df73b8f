//! RC11: C11 as repaired by Lahav, Vafeiadis, Kang, Hur and Dreyer (PLDI 2017), without SC accesses.
//!
//! With `eco = (rf ∪ co ∪ fr)⁺` and `hb = (po ∪ sw)⁺`:
//! 1. `hb ; eco?` is irreflexive (coherence);
//! 2. an atomic update is next after its source in coherence order (atomicity);
//! 3. `psc = [F_sc] ; (hb ∪ hb ; eco ; hb) ; [F_sc]` has no cycle (SC fences);
//! 4. `po ∪ rf` has no cycle (nothing out of thin air; also no load buffering).
//!
//! * `sw` goes from a release store, or from a release fence before a store, to an acquire load or an
//!   acquire fence after a load, if the load reads from the *release sequence* of the store. That is the
//!   store and the chain of atomic updates that read from it, as in C++20; a later relaxed store of the
//!   same CPU is not in it (which the paper still had): the weaker reading.
//! * An SC fence is an acquire and a release fence as well. A fully ordered update is an SC fence, an
//!   acquire-release update and an SC fence in one event; if it is refused it is a relaxed load.
//! * A void atomic ([`Op::is_void`]) is no load that an acquire fence after it orders; to an SC fence it is one. C11
//!   has no such thing: this is the kernel's rule, and arm64's.
//! * The head of an address dependency acquires where the value leads to an object.
//! * A wait begins and ends with an SC fence. The edges of `sec`, which is that of [`sc`](super::sc), synchronise.
//! * Dropping a lock synchronises with whoever takes it afterwards in an excluding mode; spawning and
//!   joining synchronise too.
//! * A data race is two conflicting plain accesses that `hb` leaves unordered.
//!
//! # How it is checked
//!
//! New events are last in program order, so `hb` only ever grows at its end, and a [`Clock`] for each
//! event holds it. Axioms 1 and 3 then say one thing: a new access must not stand, in coherence order,
//! before anything that happens before it, *nor before anything that happens before an SC fence which
//! `psc` puts before an SC fence that happens before it*. So for each SC fence the closure of `psc`
//! among the fences is kept as a clock that counts fences. New edges between old fences arise only when
//! a new access stands before an old one: from the fences that happen before the new access to those
//! that happen after the old one.

use gupcheck_sync::{CellId, FenceOrder, LoadOrder, Op, RmwOrder, StoreOrder};

use super::axioms::{Access, Axioms, Past, copy_kept};
use super::edges::edges_in;
use crate::clock::{Clock, MAX_LANES};
use crate::event::{Event, NOWHERE};
use crate::graph::Graph;
use crate::id::EventId;

/// Events, and SC fences. A fully ordered update ends with a fence which is no event of its own, so that
/// the events do not say whether it is among them.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    events: Clock,
    /// How many of each CPU's.
    fences: Clock,
}

impl Known {
    fn join(&mut self, other: &Self) {
        self.events.join(&other.events);
        self.fences.join(&other.fences);
    }

    fn has_all_of(&self, other: &Self) -> bool {
        self.events.has_all_of(&other.events) && self.fences.has_all_of(&other.fences)
    }
}

/// What a CPU knows after one of its events.
#[derive(Clone, Copy, Debug, Default)]
struct Local {
    /// What happens before the CPU's next event.
    happened: Known,
    /// What would happen before it, had there been an SC fence: messages of relaxed loads.
    pending: Known,
    /// The same, had there been an acquire fence: without those of void atomics.
    heeded: Known,
    /// What happened before the last release fence, and itself.
    released: Known,
    /// What whoever acquires from this event learns, if it writes.
    message: Known,
    /// The SC fences that happen before the event itself: without the one that ends a fully ordered update.
    fences: Clock,
    /// How long the undo log was before the event.
    mark: u32,
}

#[derive(Clone, Copy, Debug)]
struct Fence {
    /// What happens before it.
    happened: Clock,
    /// The fences that `psc` puts before it, and itself: how many of each CPU's.
    closure: Clock,
}

/// RC11 over one graph.
#[derive(Debug, Default)]
pub(crate) struct Rc11 {
    locals: Vec<Vec<Local>>,
    fences: Vec<Vec<Fence>>,
    undo: Vec<(u8, u16, Clock)>,
}

impl Rc11 {
    fn local(&self, graph: &Graph, lane: usize) -> Local {
        match (self.locals[lane].last(), graph.spawned_by(lane)) {
            (Some(last), _) => *last,
            (None, EventId::INIT) => Local::default(),
            (None, spawn) => Local {
                happened: self.of(spawn).happened,
                ..Local::default()
            },
        }
    }

    /// What happens before the next event of a CPU.
    fn happened(&self, graph: &Graph, lane: usize) -> Known {
        match (self.locals[lane].last(), graph.spawned_by(lane)) {
            (Some(last), _) => last.happened,
            (None, EventId::INIT) => Known::default(),
            (None, spawn) => self.of(spawn).happened,
        }
    }

    fn of(&self, id: EventId) -> &Local {
        &self.locals[id.lane()][id.index()]
    }

    /// The fences that `psc` puts before, or at, one of `fences`.
    fn closure(&self, fences: &Clock) -> Clock {
        let mut closure = Clock::EMPTY;
        for (lane, all) in self.fences.iter().enumerate() {
            if let Some(last) = usize::from(fences.get(lane)).checked_sub(1) {
                closure.join(&all[last].closure);
            }
        }
        closure
    }

    /// Everything that a new access of somebody with this past must not stand before.
    fn view(&self, happened: &Clock, fences: &Clock) -> Clock {
        let mut view = *happened;
        for (lane, all) in self.fences.iter().enumerate() {
            let count = usize::from(fences.get(lane));
            if count > 0 {
                view.join(&all[count - 1].happened);
            }
        }
        view
    }

    /// The fences that `psc` puts before a new SC fence of `lane` before which `happened` happens.
    fn fences_before(&self, graph: &Graph, happened: &Known, lane: usize) -> Clock {
        let mut fences = happened.fences;
        let happened = &happened.events;
        let is_unseen = |other| usize::from(happened.get(other)) < graph.lane(other).len();
        if !(0..self.fences.len()).any(|other| other != lane && is_unseen(other)) {
            return self.closure(&fences);
        }
        let seen = (self.fences[lane].last()).map_or(Clock::EMPTY, |fence| fence.happened);
        for other in 0..self.fences.len() {
            for index in seen.get(other)..happened.get(other) {
                let event = &graph.lane(other)[usize::from(index)];
                if event.cell != NOWHERE && !event.is_plain() {
                    self.add_fences_before_access(graph, event, happened, &mut fences);
                }
            }
        }
        self.closure(&fences)
    }

    /// Adds the fences that happen before an access that `eco` puts before `event`. What has `happened`
    /// need not be looked at: its fences are there already.
    fn add_fences_before_access(
        &self,
        graph: &Graph,
        event: &Event,
        happened: &Clock,
        fences: &mut Clock,
    ) {
        let standing = graph.standing(event);
        for lane in 0..self.fences.len() {
            let mut access = graph.last_access(CellId(event.cell), lane, u16::MAX);
            while let Some(id) = access.filter(|&id| !happened.has(id)) {
                let earlier = graph.event(id);
                let place = graph.standing(earlier);
                let reaches = place == standing && earlier.writes && !event.writes;
                if place < standing || reaches {
                    fences.join(&self.of(id).fences);
                    break;
                }
                access = graph.access_before(id);
            }
        }
    }

    /// Adds an SC fence, after which `local` is.
    fn push_fence(&mut self, graph: &Graph, lane: usize, local: &mut Local) {
        local.happened.join(&local.pending);
        let mut closure = self.fences_before(graph, &local.happened, lane);
        let count = self.fences[lane].len() as u16 + 1;
        closure.set(lane, count);
        self.fences[lane].push(Fence {
            happened: local.happened.events,
            closure,
        });
        local.happened.fences.set(lane, count);
        local.released = local.happened;
    }

    /// The access that was just pushed stands before others: the fences that happen before it are now
    /// before those that happen after them.
    fn order_fences(&mut self, graph: &Graph, event: &Event, known: &Clock) {
        if *known == Clock::EMPTY {
            return;
        }
        let (cell, standing) = (CellId(event.cell), graph.standing(event));
        let mut first = [u16::MAX; MAX_LANES];
        let mut any = false;
        for (lane, fences) in self.fences.iter().enumerate() {
            // Whatever happens before a fence happens before the CPU's later ones.
            let after = |f: &&Fence| graph.furthest(cell, &f.happened) > standing;
            let count = fences.iter().rev().take_while(after).count();
            if count > 0 {
                first[lane] = (fences.len() - count) as u16;
                any = true;
            }
        }
        if !any {
            return;
        }
        for (lane, fences) in self.fences.iter_mut().enumerate() {
            for (nth, fence) in fences.iter_mut().enumerate() {
                if (0..MAX_LANES).any(|l| fence.closure.get(l) > first[l]) {
                    self.undo.push((lane as u8, nth as u16, fence.closure));
                    fence.closure.join(known);
                }
            }
        }
    }

    fn acquire(&self, graph: &Graph, event: &Event, local: &mut Local) {
        if !event.reads || event.source.is_init() {
            return;
        }
        let message = self.of(event.source).message;
        local.pending.join(&message);
        if !event.op.is_void() {
            local.heeded.join(&message);
        }
        let acquires = match event.op {
            Op::Load { order, .. } | Op::SpinUntil { order, .. } => {
                order.acquires(order == LoadOrder::Dependency && graph.leads(event))
            }
            Op::Rmw { order, .. } => event.granted && order.acquires(),
            _ => false,
        };
        if acquires {
            local.happened.join(&message);
        }
    }

    fn release(&self, graph: &Graph, lane: usize, event: &Event, local: &mut Local) {
        let releases = match event.op {
            Op::Store { order, .. } => order == StoreOrder::Release,
            Op::Rmw { order, .. } => order.releases(),
            Op::Unlock { .. } | Op::Spawn(_) => true,
            _ => false,
        };
        local.message = match (releases, event.is_plain()) {
            (true, _) => local.happened,
            (false, false) => local.released,
            (false, true) => Known::default(),
        };
        if event.is_second {
            let first = &graph.lane(lane)[graph.lane(lane).len() - 2];
            if !first.source.is_init() {
                local.message.join(&self.of(first.source).message);
            }
        }
    }
}

fn is_full(event: &Event) -> bool {
    matches!(
        event.op,
        Op::Rmw {
            order: RmwOrder::Full,
            ..
        }
    )
}

impl Axioms for Rc11 {
    const KNOWS_DOMINATED_READS: bool = true;

    fn is_fence(order: RmwOrder) -> bool {
        order == RmwOrder::Full
    }

    fn reset(&mut self, lanes: usize) {
        self.locals.resize_with(lanes, Vec::new);
        self.locals.iter_mut().for_each(Vec::clear);
        self.fences.resize_with(lanes, Vec::new);
        self.fences.iter_mut().for_each(Vec::clear);
        self.undo.clear();
    }

    fn copy(&mut self, other: &Self, kept: &Clock, next: Option<EventId>) {
        copy_kept(&mut self.locals, &other.locals, kept);
        for (lane, fences) in self.fences.iter_mut().enumerate() {
            let last = self.locals[lane].last();
            let count = last.map_or(0, |last| last.happened.fences.get(lane));
            fences.clear();
            fences.extend_from_slice(&other.fences[lane][..usize::from(count)]);
        }
        let mark = next.map_or(other.undo.len(), |next| other.of(next).mark as usize);
        let (before, after) = other.undo.split_at(mark);
        self.undo.clear();
        self.undo.extend_from_slice(before);
        for &(lane, nth, closure) in after.iter().rev() {
            if let Some(fence) = self.fences[usize::from(lane)].get_mut(usize::from(nth)) {
                fence.closure = closure;
            }
        }
    }

    fn floor(&self, graph: &Graph, lane: usize, cell: CellId, access: Access) -> u16 {
        let mut happened = self.happened(graph, lane);
        let fences = if access == Access::Update(RmwOrder::Full) {
            if let Some(last) = self.locals[lane].last() {
                happened.join(&last.pending);
            }
            self.fences_before(graph, &happened, lane)
        } else {
            self.closure(&happened.fences)
        };
        graph.furthest(cell, &self.view(&happened.events, &fences))
    }

    fn may_read_floor(&self, graph: &Graph, lane: usize, op: &Op, floor: EventId) -> bool {
        let Op::Load { cell, order, .. } = *op else {
            return false;
        };
        let local = self.local(graph, lane);
        let mut followed = Clock::EMPTY;
        for other in 0..graph.lanes() {
            let seen = local.happened.events.get(other);
            if let Some(access) = graph.last_access(cell, other, seen) {
                followed.join(&self.of(access).fences);
            }
        }
        if !followed.has_all_of(&local.happened.fences) {
            return false;
        }
        if floor.is_init() {
            return true;
        }
        let leads =
            order == LoadOrder::Dependency && graph.would_lead(cell.0, graph.event(floor).wrote);
        let mut known = local.happened;
        if !order.acquires(leads) {
            known.join(&local.heeded);
        }
        known.has_all_of(&self.of(floor).message)
    }

    fn push(&mut self, graph: &Graph, id: EventId) {
        let (event, lane) = (graph.event(id), id.lane());
        let mut local = self.local(graph, lane);
        local.mark = self.undo.len() as u32;
        let full = is_full(event);
        if full && event.granted {
            self.push_fence(graph, lane, &mut local);
        }
        local.happened.events.set(lane, id.index() as u16 + 1);
        edges_in(graph, id, |before| {
            local.happened.join(&self.of(before).happened);
        });
        self.acquire(graph, event, &mut local);
        if event.writes || matches!(event.op, Op::Unlock { .. } | Op::Spawn(_)) {
            self.release(graph, lane, event, &mut local);
        }
        match event.op {
            Op::Fence(FenceOrder::SeqCst) | Op::Wait(_) => {
                self.push_fence(graph, lane, &mut local);
            }
            Op::Fence(order) => {
                if order != FenceOrder::Release {
                    local.happened.join(&local.heeded);
                }
                if order != FenceOrder::Acquire {
                    local.released = local.happened;
                }
            }
            _ => {}
        }
        local.fences = local.happened.fences;
        if event.cell != NOWHERE && graph.standing(event) < graph.top(CellId(event.cell)) {
            self.order_fences(graph, event, &self.closure(&local.fences));
        }
        if full && event.is_second {
            self.push_fence(graph, lane, &mut local);
        }
        self.locals[lane].push(local);
    }

    fn pop(&mut self, id: EventId) {
        let lane = id.lane();
        let local = self.locals[lane].pop().expect("pushed");
        for (lane, nth, closure) in self.undo.drain(local.mark as usize..).rev() {
            self.fences[usize::from(lane)][usize::from(nth)].closure = closure;
        }
        let fences = (self.locals[lane].last()).map_or(0, |last| last.happened.fences.get(lane));
        self.fences[lane].truncate(usize::from(fences));
    }

    fn synchronised(&self, graph: &Graph, lane: usize) -> Clock {
        self.happened(graph, lane).events
    }

    fn synchronised_at(&self, _: &Graph, id: EventId) -> Clock {
        self.of(id).happened.events
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
