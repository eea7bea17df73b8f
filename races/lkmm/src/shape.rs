//! One run of each CPU, put together: the events, and what does not depend on who reads from whom.

use crate::bits::{MOST_EVENTS, Relation, Set, each, one};
use crate::error::GaveUp;
use crate::event::{Event, Fence, Kind, ReadMark, Reads, WriteMark};
use crate::traces::Trace;

/// Classes of events, each a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classes {
    pub(crate) initial: Set,
    pub(crate) reads: Set,
    pub(crate) writes: Set,
    pub(crate) plain: Set,
    pub(crate) acquires: Set,
    pub(crate) releases: Set,
    pub(crate) no_return: Set,
    /// What is, or tries to be, part of a read-modify-write; locks are not.
    pub(crate) atomics: Set,
    pub(crate) lock_reads: Set,
    pub(crate) lock_writes: Set,
    pub(crate) unlocks: Set,
    pub(crate) srcu_locks: Set,
    pub(crate) srcu_unlocks: Set,
}

/// The events of one choice of runs.
pub(crate) struct Shape {
    /// Without the initial writes, which come first: event `locations + n` is `events[n]`.
    pub(crate) events: Vec<Event>,
    /// The CPU of each.
    pub(crate) cpus: Vec<usize>,
    pub(crate) locations: usize,
    pub(crate) count: usize,
    pub(crate) all: Set,
    pub(crate) classes: Classes,
    /// Program order.
    pub(crate) order: Relation,
    /// Pairs of one CPU.
    pub(crate) internal: Relation,
    /// Pairs of which both are of one location.
    pub(crate) same_place: Relation,
    pub(crate) address: Relation,
    pub(crate) data: Relation,
    pub(crate) control: Relation,
    /// From the read of a read-modify-write to its write; of a lock, too.
    pub(crate) rmw: Relation,
    fences: Vec<(Fence, Set)>,
}

impl Shape {
    pub(crate) fn new(locations: usize, traces: &[&Trace]) -> Result<Self, GaveUp> {
        let count = locations + traces.iter().map(|trace| trace.events.len()).sum::<usize>();
        if count > MOST_EVENTS {
            return Err(GaveUp::Events);
        }
        let empty = Relation::empty(count);
        let mut shape = Self {
            events: Vec::with_capacity(count),
            cpus: Vec::with_capacity(count),
            locations,
            count,
            all: (0..count).fold(0, |all, event| all | one(event)),
            classes: Classes::default(),
            order: empty.clone(),
            internal: empty.clone(),
            same_place: empty.clone(),
            address: empty.clone(),
            data: empty.clone(),
            control: empty.clone(),
            rmw: empty,
            fences: Vec::new(),
        };
        for location in 0..locations {
            shape.classes.initial |= one(location);
            shape.classes.writes |= one(location);
        }
        for (cpu, trace) in traces.iter().enumerate() {
            shape.add_cpu(cpu, trace);
        }
        shape.relate_places();
        Ok(shape)
    }

    fn add_cpu(&mut self, cpu: usize, trace: &Trace) {
        let first = self.locations + self.events.len();
        let own = (first..first + trace.events.len()).fold(0, |all, event| all | one(event));
        for (place, event) in trace.events.iter().enumerate() {
            let id = first + place;
            for later in each(own) {
                self.internal.add(id, later);
                if later > id {
                    self.order.add(id, later);
                }
            }
            let from = |relation: &mut Relation, Reads(reads): Reads| {
                for read in each(Set::from(reads)) {
                    relation.add(first + read, id);
                }
            };
            from(&mut self.address, event.address);
            from(&mut self.data, event.data);
            from(&mut self.control, event.control);
            if let Some(read) = event.partner {
                self.rmw.add(first + read, id);
            }
            self.classify(id, event);
            self.events.push(*event);
            self.cpus.push(cpu);
        }
    }

    fn classify(&mut self, id: usize, event: &Event) {
        let (classes, bit) = (&mut self.classes, one(id));
        if event.atomic {
            classes.atomics |= bit;
        }
        match event.kind {
            Kind::Read(mark) => {
                classes.reads |= bit;
                match mark {
                    ReadMark::Plain => classes.plain |= bit,
                    ReadMark::Acquire => classes.acquires |= bit,
                    ReadMark::NoReturn => classes.no_return |= bit,
                    ReadMark::SrcuLock => classes.srcu_locks |= bit,
                    ReadMark::Lock => {
                        classes.lock_reads |= bit;
                        classes.acquires |= bit;
                    }
                    ReadMark::Once | ReadMark::LockSeen => {}
                }
            }
            Kind::Write(mark) => {
                classes.writes |= bit;
                match mark {
                    WriteMark::Plain => classes.plain |= bit,
                    WriteMark::Release => classes.releases |= bit,
                    WriteMark::SrcuUnlock => classes.srcu_unlocks |= bit,
                    WriteMark::Lock => classes.lock_writes |= bit,
                    WriteMark::Unlock => {
                        classes.unlocks |= bit;
                        classes.releases |= bit;
                    }
                    WriteMark::Once => {}
                }
            }
            Kind::Fence(fence) => match self.fences.iter_mut().find(|known| known.0 == fence) {
                Some((_, set)) => *set |= bit,
                None => self.fences.push((fence, bit)),
            },
        }
    }

    fn relate_places(&mut self) {
        for a in 0..self.count {
            for b in 0..self.count {
                if self.place(a).is_some() && self.place(a) == self.place(b) {
                    self.same_place.add(a, b);
                }
            }
        }
    }

    /// An event, if it is no initial write.
    pub(crate) fn event(&self, id: usize) -> Option<&Event> {
        self.events.get(id.checked_sub(self.locations)?)
    }

    /// The location of an event.
    pub(crate) fn place(&self, id: usize) -> Option<usize> {
        match id.checked_sub(self.locations) {
            None => Some(id),
            Some(nth) => self.events[nth].location,
        }
    }

    /// The fences of a kind.
    pub(crate) fn fences(&self, fence: Fence) -> Set {
        let known = self.fences.iter().find(|known| known.0 == fence);
        known.map_or(0, |known| known.1)
    }

    /// Pairs with a fence of a kind between them.
    pub(crate) fn around(&self, fence: Fence) -> Relation {
        let fences = self.fences(fence);
        if fences == 0 {
            return Relation::empty(self.count);
        }
        self.order.ending_in(fences).then(&self.order)
    }

    /// Pairs of different CPUs; the initial writes are of none.
    pub(crate) fn external(&self) -> Relation {
        Relation::product(self.count, self.all, self.all).minus(&self.internal)
    }
}
