//! The world of a litmus test: its locations as cells, and the one kind of section that there is.
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
//! A read-side section is a section of the kind `rcu`, from the outermost `rcu_read_lock` to its
//! `rcu_read_unlock`; `synchronize_rcu` waits for that kind. What is ordered is what
//! [`gupcheck_sync::Section`] promises, the full barriers of the grace period included.
//!
//! # Locks that are tried
//!
//! The facade's locks can only be waited for. A lock that some process tries or looks at is an atomic
//! cell, taken by a compare-and-exchange; a `spin_lock` that finds it held gives the whole execution up,
//! and the report leaves it out (as herd does): the execution in which it finds the lock free is explored
//! as well.

use crate::intern::intern;
use crate::ir::{Code, MixedBy, Shape, location_at};
use gupcheck_sync::{Atomic, CellId, Layout, Name, Plain, Section, SpinLock, Word};
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
    /// The read-side sections of RCU.
    pub(crate) rcu: Section,
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
        Self {
            code,
            places,
            rcu: layout.section("rcu"),
        }
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
