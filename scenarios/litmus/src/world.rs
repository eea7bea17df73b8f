//! The world of a litmus test: its locations as cells, its read-side sections as locks.
//!
//! # Locations that are accessed both plainly and by marked accesses
//!
//! The value is in an atomic cell, which plain accesses read and write as if relaxed. Whether a plain
//! access races is found out by plain cells that hold nothing, one for each process that writes the
//! location plainly and one for each that writes it by marked accesses:
//!
//! | access of process i | before it | after it |
//! | --- | --- | --- |
//! | plain write | writes i's plain-write cell, reads the others' | |
//! | plain read | reads the others' plain-write and marked-write cells | |
//! | marked write | writes its marked-write cell, reads the others' plain-write cells | |
//! | marked read | | reads the others' plain-write cells |
//!
//! So two accesses conflict on such a cell exactly if they conflict on the location and one of them is
//! plain. A release store has its watchers before it and an acquire load after it, so that whatever the
//! access itself orders is ordered for its watchers too. A read-modify-write would need both at once;
//! a location that has plain accesses and read-modify-writes is turned away.
//!
//! # RCU
//!
//! A process with a read-side section has a gate, a lock that it holds from `rcu_read_lock` to
//! `rcu_read_unlock`. `synchronize_rcu` is a full barrier, then a visit to the gate of every other such
//! process, then a full barrier. Gates are visited at once, the first by the waiting CPU itself and each
//! other by a CPU of its own: visited one after another they would order sections that a grace period
//! leaves unordered.
//!
//! # Locks that are tried
//!
//! The facade's locks can only be waited for. A lock that some process tries or looks at is an atomic
//! cell, taken by a compare-and-exchange; a `spin_lock` that finds it held gives the whole execution up,
//! and the report leaves it out (as herd does): the execution in which it finds the lock free is explored
//! as well.

use crate::intern::intern;
use crate::ir::{Code, MixedBy, Shape, location_at};
use gupcheck_sync::{Atomic, CellId, LaneId, Layout, Name, Plain, SpinLock, Word};
use std::fmt;
use std::sync::Arc;

/// A value in a cell: a number, or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) i64);

impl Word for Slot {
    fn into_word(self) -> u64 {
        self.0 as u64
    }
    fn from_word(word: u64) -> Self {
        Self(word as i64)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match location_at(word as i64) {
            Some(location) => write!(f, "&#{location}"),
            None => write!(f, "{}", word as i64),
        }
    }
}

/// The plain cells that watch a location; indexed by process.
#[derive(Clone, Debug)]
pub(crate) struct Watchers {
    pub(crate) plain_write: Vec<Option<Plain<bool>>>,
    pub(crate) marked_write: Vec<Option<Plain<bool>>>,
}

/// What a location is made of.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Atomic(Atomic<Slot>),
    Plain(Plain<Slot>),
    Mixed(Atomic<Slot>, Watchers),
    Lock(SpinLock),
    TriedLock(Atomic<Slot>),
}

impl Place {
    /// The cell that holds the value.
    pub(crate) fn cell(&self) -> Option<CellId> {
        match self {
            Self::Atomic(cell) | Self::Mixed(cell, _) | Self::TriedLock(cell) => Some(cell.id()),
            Self::Plain(cell) => Some(cell.id()),
            Self::Lock(_) => None,
        }
    }
}

/// A test and the objects it is made of: what every CPU may look at.
pub(crate) struct World {
    pub(crate) code: Arc<Code>,
    pub(crate) places: Vec<Place>,
    /// The gate of each process that has read-side sections.
    pub(crate) gates: Vec<Option<SpinLock>>,
    /// By process and by its grace periods: the CPUs that visit all gates but the first for it.
    pub(crate) visitors: Vec<Vec<Vec<LaneId>>>,
}

impl World {
    /// Declares the objects of a test.
    pub(crate) fn new(code: Arc<Code>, layout: &mut Layout) -> Self {
        let mut places = Vec::new();
        for location in &code.locations {
            let (name, init) = (location.name, Slot(location.init));
            places.push(match &location.shape {
                Shape::Atomic => Place::Atomic(layout.atomic(name, init)),
                Shape::Plain => Place::Plain(layout.plain(name, init)),
                Shape::Mixed(by) => {
                    let cell = layout.atomic(name, init);
                    Place::Mixed(cell, watchers(layout, name, by))
                }
                Shape::Lock => Place::Lock(layout.spin_lock(name)),
                Shape::TriedLock => Place::TriedLock(layout.atomic(name, init)),
            });
        }
        let waited_for = code.processes.iter().any(|p| p.grace_periods > 0);
        let mut gates = Vec::new();
        for (index, process) in code.processes.iter().enumerate() {
            let name = Name::new("rcu[P{}]", [index as u32]);
            let gated = waited_for && process.reads_rcu;
            gates.push(gated.then(|| layout.spin_lock(name)));
        }
        let mut world = Self {
            code,
            places,
            gates,
            visitors: Vec::new(),
        };
        world.visitors = world.plan_visitors();
        world
    }

    /// The gates that a grace period of `process` visits.
    pub(crate) fn visited_by(&self, process: usize) -> impl Iterator<Item = SpinLock> {
        let others = self.gates.iter().enumerate();
        others.filter_map(move |(index, gate)| gate.filter(|_| index != process))
    }

    /// Numbers the CPUs that visit gates: after all processes, in the order of the calls.
    fn plan_visitors(&self) -> Vec<Vec<Vec<LaneId>>> {
        let mut next = self.code.processes.len() as u8;
        let mut plan = Vec::new();
        for (index, process) in self.code.processes.iter().enumerate() {
            let gates = self.visited_by(index).count();
            let mut calls = Vec::new();
            for _ in 0..process.grace_periods {
                // The first gate is visited by whoever waits.
                let visitors = gates.saturating_sub(1) as u8;
                calls.push((next..next + visitors).map(LaneId).collect());
                next += visitors;
            }
            plan.push(calls);
        }
        plan
    }
}

fn watchers(layout: &mut Layout, name: &'static str, by: &MixedBy) -> Watchers {
    let mut cells = |text: &str, wanted: &[bool]| {
        let template = intern(&format!("{name} ({text} P{{}})"));
        let mut cells = Vec::new();
        for (index, &wanted) in wanted.iter().enumerate() {
            let name = Name::new(template, [index as u32]);
            cells.push(wanted.then(|| layout.plain(name, false)));
        }
        cells
    };
    Watchers {
        plain_write: cells("plain write by", &by.plain_write),
        marked_write: cells("marked write by", &by.marked_write),
    }
}
