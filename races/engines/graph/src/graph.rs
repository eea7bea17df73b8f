//! The execution graph: what happened, and who read whose write, but not in which order.
//!
//! A graph holds the events of each CPU in program order, for each read the write it took its value
//! from, for each cell its writes in coherence order, and for each lock its critical sections. Two
//! interleavings that agree on all this are one execution; that is why there are so few graphs.
//!
//! A graph grows and shrinks like a stack ([`Graph::push`], [`Graph::pop`]): nothing is ever removed
//! from its middle. A backward revisit builds the graph it needs in another buffer
//! ([`Graph::copy_event`]). Only a memory model knows whether a graph is possible; nothing here does.

use std::sync::Arc;

use gupcheck_sync::{CellId, Layout, Lead, Op};
use gupcheck_tree::NodeId;

use super::clock::{Clock, MAX_LANES};
use super::event::{Asked, Event, NOWHERE};
use super::id::EventId;
use super::queue::Locks;
use super::sections::Sections;
use super::twins::Twins;
use super::waits::Waits;

/// The accesses to one cell.
#[derive(Clone, Debug, Default)]
struct Cell {
    init: u64,
    /// Its writes in coherence order, without the initial one: the first is at position 1.
    writes: Vec<EventId>,
    /// Its reads, in the order in which they were pushed.
    reads: Vec<EventId>,
    /// Each CPU's last access: its index and one more, or 0.
    last: [u16; MAX_LANES],
}

/// An execution graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    lanes: Vec<Vec<Event>>,
    cells: Vec<Cell>,
    locks: Locks,
    sections: Sections,
    waits: Arc<Waits>,
    /// Which object the values of each of the program's cells lead to.
    leads_to: Vec<Lead>,
    pushed: Vec<EventId>,
    /// The takings of locks that overtook others, in the order in which they were pushed.
    overtakers: Vec<EventId>,
    spawned_by: Vec<EventId>,
    twins: Twins,
    stamp: u32,
}

impl Graph {
    /// Empties the graph for a program over `layout` with so many CPUs as these waits know, of which some have
    /// twins.
    pub(super) fn reset(&mut self, layout: &Layout, waits: &Arc<Waits>, twins: Twins) {
        let (cpus, lanes) = (waits.cpus(), waits.lanes());
        self.twins = twins;
        self.waits = Arc::clone(waits);
        self.sections.reset(cpus);
        self.reset_cells(layout, waits);
        self.lanes.resize_with(lanes, Vec::new);
        self.lanes.iter_mut().for_each(Vec::clear);
        self.locks.reset(layout, cpus);
        self.spawned_by.clear();
        self.spawned_by.resize(lanes, EventId::INIT);
        self.pushed.clear();
        self.overtakers.clear();
        self.stamp = 0;
    }

    /// Forgets all accesses. A graph is of one program all its life: only the cells that were accessed are looked at, of
    /// perhaps hundreds.
    fn reset_cells(&mut self, layout: &Layout, waits: &Waits) {
        let known = layout.cells();
        let count = known.len() + waits.more_cells();
        if self.cells.len() != count {
            self.leads_to = known.iter().map(|decl| decl.leads_to).collect();
            let inits = known.iter().map(|decl| decl.init);
            self.cells = (inits.chain(std::iter::repeat(0)).take(count))
                .map(|init| Cell {
                    init,
                    ..Cell::default()
                })
                .collect();
            return;
        }
        for &id in &self.pushed {
            let nth = self.lanes[id.lane()][id.index()].cell;
            if nth != NOWHERE {
                let cell = &mut self.cells[nth as usize];
                cell.writes.clear();
                cell.reads.clear();
                cell.last = [0; MAX_LANES];
            }
        }
    }

    /// How many lanes there are: CPUs, and then couriers.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The events of one CPU.
    pub(super) fn lane(&self, lane: usize) -> &[Event] {
        &self.lanes[lane]
    }

    /// Whether there is an event that stands for a plain access.
    pub(super) fn has_shadows(&self) -> bool {
        self.lanes.iter().flatten().any(Event::is_shadow)
    }

    /// All events, in the order in which they were pushed: one that program order and reads-from allow.
    pub(super) fn pushed(&self) -> &[EventId] {
        &self.pushed
    }

    /// One event.
    pub(super) fn event(&self, id: EventId) -> &Event {
        &self.lanes[id.lane()][id.index()]
    }

    /// The event that spawned a CPU, or [`EventId::INIT`].
    pub(super) fn spawned_by(&self, lane: usize) -> EventId {
        self.spawned_by[lane]
    }

    /// All that comes before the next event of a CPU by program order and reads-from.
    pub(super) fn before(&self, lane: usize) -> Clock {
        match self.lanes[lane].last() {
            Some(last) => last.before,
            None if self.spawned_by[lane].is_init() => Clock::EMPTY,
            None => self.event(self.spawned_by[lane]).before,
        }
    }

    /// The CPU after which a CPU comes that is its twin.
    pub(super) const fn twin(&self, lane: usize) -> Option<usize> {
        self.twins.of(lane)
    }

    /// The position of the last write to a cell.
    pub(super) fn top(&self, cell: CellId) -> u16 {
        self.cells[cell.index()].writes.len() as u16
    }

    /// The write at a position.
    pub(super) fn write_at(&self, cell: CellId, position: u16) -> EventId {
        match position {
            0 => EventId::INIT,
            _ => self.cells[cell.index()].writes[usize::from(position) - 1],
        }
    }

    /// The value that the write at a position leaves.
    pub(super) fn value_at(&self, cell: CellId, position: u16) -> u64 {
        match self.write_at(cell, position) {
            EventId::INIT => self.cells[cell.index()].init,
            id => self.event(id).wrote,
        }
    }

    /// A cell's last value in coherence order.
    pub(super) fn last_value(&self, cell: CellId) -> u64 {
        self.value_at(cell, self.top(cell))
    }

    /// The writes of a cell in coherence order, without the initial one.
    pub(super) fn writes(&self, cell: CellId) -> &[EventId] {
        &self.cells[cell.index()].writes
    }

    /// The reads of a cell, in the order in which they were pushed.
    pub(super) fn reads(&self, cell: CellId) -> &[EventId] {
        &self.cells[cell.index()].reads
    }

    /// The position of a write, the initial one included.
    pub(super) fn position(&self, write: EventId) -> u16 {
        if write.is_init() {
            0
        } else {
            self.event(write).position
        }
    }

    /// Where an access stands in coherence order: a write at its own place, a read at its source's.
    pub(super) fn standing(&self, access: &Event) -> u16 {
        if access.writes {
            access.position
        } else {
            self.position(access.source)
        }
    }

    /// Whether an atomic update already reads the write at this position.
    pub(super) fn is_taken(&self, cell: CellId, position: u16) -> bool {
        position < self.top(cell) && self.event(self.write_at(cell, position + 1)).is_second
    }

    /// The wait in which a CPU is stuck.
    pub(super) fn stuck(&self, lane: usize) -> Option<&Event> {
        self.lanes[lane].last().filter(|last| last.stuck)
    }

    /// The events of one CPU that were answered: all but one in which it is stuck.
    pub(super) fn answered(&self, lane: usize) -> &[Event] {
        let all = &self.lanes[lane];
        &all[..all.len() - usize::from(self.stuck(lane).is_some())]
    }

    /// A CPU's last access to a cell among its first `count` events.
    pub(super) fn last_access(&self, cell: CellId, lane: usize, count: u16) -> Option<EventId> {
        let mut at = self.cells[cell.index()].last[lane];
        while at > count {
            at = self.lanes[lane][usize::from(at) - 1].previous;
        }
        (at > 0).then(|| EventId::new(lane, usize::from(at) - 1))
    }

    /// A CPU's access to the same cell before `access`.
    pub(super) fn access_before(&self, access: EventId) -> Option<EventId> {
        let at = self.event(access).previous;
        (at > 0).then(|| EventId::new(access.lane(), usize::from(at) - 1))
    }

    /// The furthest in coherence order that any access to `cell` within `seen` stands: coherence
    /// forbids whoever has seen these to read from before, or to write before, that place.
    pub(super) fn furthest(&self, cell: CellId, seen: &Clock) -> u16 {
        let mut furthest = 0;
        for lane in 0..self.lanes.len() {
            if let Some(access) = self.last_access(cell, lane, seen.get(lane)) {
                furthest = furthest.max(self.standing(self.event(access)));
            }
        }
        furthest
    }

    /// The last access to `cell` that conflicts with one by `lane` and is not among those it has seen.
    pub(super) fn last_conflicting(
        &self,
        lane: usize,
        cell: CellId,
        writes: bool,
        seen: impl Fn(EventId) -> bool,
    ) -> Option<EventId> {
        let others = (0..self.lanes.len()).filter(|&other| other != lane);
        others.into_iter().find_map(|other| {
            let mut access = self.last_access(cell, other, u16::MAX);
            while let Some(id) = access {
                if writes || self.event(id).writes {
                    return (!seen(id)).then_some(id);
                }
                access = self.access_before(id);
            }
            None
        })
    }

    /// Whether what an event read leads to an object.
    pub(super) fn leads(&self, event: &Event) -> bool {
        self.would_lead(event.cell, event.read)
    }

    /// Whether a value of a cell leads to an object.
    pub(super) fn would_lead(&self, cell: u32, value: u64) -> bool {
        let leads_to = self.leads_to.get(cell as usize);
        leads_to.is_some_and(|leads_to| leads_to(value).is_some())
    }

    /// The sections.
    pub(super) const fn sections(&self) -> &Sections {
        &self.sections
    }

    /// The waits that are foreseen.
    pub(super) fn waits(&self) -> &Arc<Waits> {
        &self.waits
    }

    /// The locks.
    pub(super) const fn locks(&self) -> &Locks {
        &self.locks
    }

    /// The queue that an event, or what was asked for it, is about.
    pub(super) fn queue_of(&self, id: EventId, asked: &Asked) -> usize {
        (self.locks.queue_of(id.lane(), asked)).expect("an operation on a lock")
    }

    /// Whether there is such an event.
    pub(super) fn has(&self, id: EventId) -> bool {
        self.lanes[id.lane()].len() > id.index()
    }

    /// What the next event is stamped with.
    pub(super) const fn stamp(&self) -> u32 {
        self.stamp
    }

    /// Makes all later events count as added after `stamp`.
    pub(super) fn skip_stamp(&mut self, stamp: u32) {
        self.stamp = self.stamp.max(stamp + 1);
    }

    /// Makes all later events count as added after all that `other` ever had.
    pub(super) fn skip_stamps_of(&mut self, other: &Self) {
        self.stamp = self.stamp.max(other.stamp);
    }

    /// The takings of locks that overtook others, in the order in which they were pushed.
    pub(super) fn overtakers(&self) -> &[EventId] {
        &self.overtakers
    }

    /// Marks the taking of a lock, which was pushed last, as one that overtook another.
    pub(super) fn mark_overtaking(&mut self, id: EventId, overtaken: EventId, stamp: u32) {
        self.lanes[id.lane()][id.index()].overtook = Some((overtaken, stamp));
        self.overtakers.push(id);
    }

    /// Says where in its code a CPU asked for an event.
    pub(super) fn name(&mut self, id: EventId, node: NodeId) {
        self.lanes[id.lane()][id.index()].node = node;
    }

    /// Adds an event of another graph, which has to be the next of its CPU here. That it overtook
    /// another is forgotten unless that one `stays`.
    pub(super) fn copy_event(
        &mut self,
        from: &Self,
        id: EventId,
        stays: impl Fn(EventId, u32) -> bool,
    ) {
        let mut event = *from.event(id);
        event.overtook = event.overtook.filter(|&(taken, stamp)| stays(taken, stamp));
        if event.writes {
            let writes = &self.cells[event.cell as usize].writes;
            let earlier = (writes.iter()).take_while(|&&w| from.event(w).position < event.position);
            event.position = earlier.count() as u16 + 1;
        }
        if event.overtook.is_some() {
            self.overtakers.push(id);
        }
        self.insert(id, event);
    }

    /// Adds an event, which has to be the next of its CPU.
    pub(super) fn insert(&mut self, id: EventId, mut event: Event) {
        self.skip_stamp(event.stamp);
        if event.cell != NOWHERE {
            let cell = &mut self.cells[event.cell as usize];
            event.previous = std::mem::replace(&mut cell.last[id.lane()], id.index() as u16 + 1);
            if event.reads {
                cell.reads.push(id);
            }
            if event.writes {
                let place = usize::from(event.position) - 1;
                cell.writes.insert(place, id);
                for later in &cell.writes[place + 1..] {
                    self.lanes[later.lane()][later.index()].position += 1;
                }
            }
        }
        match event.op {
            Op::Lock { mode, .. } => self
                .locks
                .enter(self.queue_of(id, &event.asked()), id, mode),
            Op::Unlock { .. } => self.locks.leave(self.queue_of(id, &event.asked()), id),
            Op::Spawn(other) => self.spawned_by[other.index()] = id,
            op => self.sections.push(id, op, event.part),
        }
        self.lanes[id.lane()].push(event);
        self.pushed.push(id);
    }

    /// Takes the last event away again.
    pub(super) fn pop(&mut self) -> EventId {
        let id = self.pushed.pop().expect("only what was pushed is popped");
        let event = self.lanes[id.lane()].pop().expect("as above");
        if event.overtook.is_some() {
            self.overtakers.pop();
        }
        if event.cell != NOWHERE {
            let cell = &mut self.cells[event.cell as usize];
            cell.last[id.lane()] = event.previous;
            if event.reads {
                cell.reads.pop();
            }
            if event.writes {
                let place = usize::from(event.position) - 1;
                cell.writes.remove(place);
                for later in &cell.writes[place..] {
                    self.lanes[later.lane()][later.index()].position -= 1;
                }
            }
        }
        match event.op {
            Op::Lock { .. } => self.locks.undo_enter(self.queue_of(id, &event.asked()), id),
            Op::Unlock { .. } => self.locks.undo_leave(self.queue_of(id, &event.asked()), id),
            Op::Spawn(other) => self.spawned_by[other.index()] = EventId::INIT,
            op => self.sections.pop(id, op, event.part),
        }
        id
    }
}
