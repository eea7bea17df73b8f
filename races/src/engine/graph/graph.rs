//! The execution graph: what happened, and who read whose write, but not in which order.
//!
//! A graph holds the events of each CPU in program order, for each read the write it took its value
//! from, for each cell its writes in coherence order, and for each lock its critical sections. Two
//! interleavings that agree on all this are one execution; that is why there are so few graphs.
//!
//! A graph grows and shrinks like a stack ([`Graph::push`], [`Graph::pop`]): nothing is ever removed
//! from its middle. A backward revisit builds the graph it needs in another buffer
//! ([`Graph::copy_event`]). Only a memory model knows whether a graph is possible; nothing here does.

use gupcheck_core::sync::{CellId, Layout, LockId, LockMode, Op};

use super::clock::{Clock, MAX_CPUS};
use super::event::{Asked, Effect, Event, EventId, NOWHERE, Section};

/// The accesses to one cell.
#[derive(Clone, Debug, Default)]
struct Cell {
    init: u64,
    /// Its writes in coherence order, without the initial one: the first is at position 1.
    writes: Vec<EventId>,
    /// Its reads, in the order in which they were pushed.
    reads: Vec<EventId>,
    /// Each CPU's last access: its index and one more, or 0.
    last: [u16; MAX_CPUS],
}

/// An execution graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    lanes: Vec<Vec<Event>>,
    cells: Vec<Cell>,
    locks: Vec<Vec<Section>>,
    pushed: Vec<EventId>,
    spawned_by: Vec<EventId>,
    stamp: u32,
}

impl Graph {
    /// Empties the graph for a program over `layout` with so many CPUs.
    pub(super) fn reset(&mut self, layout: &Layout, lanes: usize) {
        self.lanes.resize_with(lanes, Vec::new);
        self.lanes.iter_mut().for_each(Vec::clear);
        self.cells.resize_with(layout.cells().len(), Cell::default);
        for (cell, decl) in self.cells.iter_mut().zip(layout.cells()) {
            cell.init = decl.init;
            cell.writes.clear();
            cell.reads.clear();
            cell.last = [0; MAX_CPUS];
        }
        self.locks.resize_with(layout.locks().len(), Vec::new);
        self.locks.iter_mut().for_each(Vec::clear);
        self.spawned_by.clear();
        self.spawned_by.resize(lanes, EventId::INIT);
        self.pushed.clear();
        self.stamp = 0;
    }

    /// How many CPUs there are.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The events of one CPU.
    pub(super) fn lane(&self, lane: usize) -> &[Event] {
        &self.lanes[lane]
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

    /// The second half of an update, if that is what a CPU does next.
    pub(super) fn half_done(&self, lane: usize) -> Option<Asked> {
        let first = self.lanes[lane].last().filter(|last| last.granted)?;
        Some(Asked {
            is_second: true,
            ..first.asked()
        })
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

    /// The critical sections of a lock, in the order in which they exclude each other.
    pub(super) fn sections(&self, lock: LockId) -> &[Section] {
        &self.locks[lock.index()]
    }

    /// Whether nobody holds a lock in a way that excludes `mode`.
    pub(super) fn is_free(&self, lock: LockId, mode: LockMode) -> bool {
        (self.sections(lock).iter().rev()).all(|s| !s.is_open() || !s.excludes(mode))
    }

    /// The CPUs that keep a lock from being taken in `mode`.
    pub(super) fn holders(&self, lock: LockId, mode: LockMode) -> impl Iterator<Item = usize> + '_ {
        (self.sections(lock).iter())
            .filter(move |s| s.is_open() && s.excludes(mode))
            .map(|s| s.taken.lane())
    }

    /// The section that `lane` is in, if it holds the lock in `mode`.
    pub(super) fn open_section(&self, lock: LockId, mode: LockMode, lane: usize) -> Option<usize> {
        (self.sections(lock).iter())
            .rposition(|s| s.is_open() && s.mode == mode && s.taken.lane() == lane)
    }

    /// The events that taking a lock in `mode` waits for, as the graph is now: who dropped it before.
    pub(super) fn droppers(
        &self,
        lock: LockId,
        mode: LockMode,
    ) -> impl Iterator<Item = EventId> + '_ {
        (self.sections(lock).iter())
            .filter(move |s| !s.is_open() && s.excludes(mode))
            .map(|s| s.dropped)
    }

    /// Adds the next event of a CPU.
    pub(super) fn push(&mut self, lane: usize, asked: Asked, effect: Effect) -> EventId {
        let stamp = self.stamp;
        self.push_stamped(lane, asked, effect, stamp)
    }

    /// Adds the next event of a CPU as if it had been added when `stamp` was.
    pub(super) fn push_stamped(
        &mut self,
        lane: usize,
        Asked {
            op,
            site,
            is_second,
        }: Asked,
        effect: Effect,
        stamp: u32,
    ) -> EventId {
        let id = EventId::new(lane, self.lanes[lane].len());
        let mut before = self.before(lane);
        before.set(lane, id.index() as u16 + 1);
        if !effect.source.is_init() {
            before.join(&self.event(effect.source).before);
        }
        match op {
            Op::Lock { lock, mode } => {
                for dropped in self.droppers(lock, mode) {
                    before.join(&self.event(dropped).before);
                }
            }
            Op::Join(other) => before.join(&self.before(other.index())),
            _ => {}
        }
        let is_lock = matches!(op, Op::Lock { .. });
        self.insert(
            id,
            Event {
                op,
                site,
                source: effect.source,
                read: effect.read,
                wrote: effect.wrote.unwrap_or(0),
                cell: op.cell().map_or(NOWHERE, |cell| cell.0),
                stamp,
                added: if is_lock { self.stamp } else { stamp },
                position: effect.position,
                previous: 0,
                reads: op.reads() && !is_second,
                writes: effect.wrote.is_some(),
                granted: effect.granted,
                is_second,
                overtook: None,
                before,
            },
        );
        id
    }

    /// Makes all later events count as added after `stamp`.
    pub(super) fn skip_stamp(&mut self, stamp: u32) {
        self.stamp = self.stamp.max(stamp + 1);
    }

    /// Marks the taking of a lock as one that overtook another.
    pub(super) fn mark_overtaking(&mut self, id: EventId, overtaken: EventId, stamp: u32) {
        self.lanes[id.lane()][id.index()].overtook = Some((overtaken, stamp));
    }

    /// The stamp that the taking of a lock had when it was overtaken, if it was.
    pub(super) fn stamp_when_overtaken(&self, lock: LockId, id: EventId) -> Option<u32> {
        (self.sections(lock).iter())
            .filter_map(|s| self.event(s.taken).overtook)
            .find_map(|(overtaken, stamp)| (overtaken == id).then_some(stamp))
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
        self.insert(id, event);
    }

    fn insert(&mut self, id: EventId, mut event: Event) {
        self.skip_stamp(event.added);
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
            Op::Lock { lock, mode } => self.locks[lock.index()].push(Section {
                taken: id,
                dropped: EventId::INIT,
                mode,
            }),
            Op::Unlock { lock, mode } => {
                let open = self.open_section(lock, mode, id.lane());
                let open = open.expect("the explorer refuses to drop a lock that is not held");
                self.locks[lock.index()][open].dropped = id;
            }
            Op::Spawn(other) => self.spawned_by[other.index()] = id,
            _ => {}
        }
        self.lanes[id.lane()].push(event);
        self.pushed.push(id);
    }

    /// Takes the last event away again.
    pub(super) fn pop(&mut self) -> EventId {
        let id = self.pushed.pop().expect("only what was pushed is popped");
        let event = self.lanes[id.lane()].pop().expect("as above");
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
            Op::Lock { lock, .. } => {
                self.locks[lock.index()].pop();
            }
            Op::Unlock { lock, .. } => {
                let section = (self.locks[lock.index()].iter_mut()).find(|s| s.dropped == id);
                section.expect("as above").dropped = EventId::INIT;
            }
            Op::Spawn(other) => self.spawned_by[other.index()] = EventId::INIT,
            _ => {}
        }
        id
    }
}
