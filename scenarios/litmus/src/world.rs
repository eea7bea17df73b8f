//! The world of a litmus test: its locations as cells, and its kinds of sections.
//!
//! # Locations that are accessed both plainly and by marked accesses
//!
//! The value is in an atomic cell, which plain accesses read and write as if relaxed. Right before each of them comes a
//! plain access of the same kind to the cell's shadow ([`Program::shadow`]), by which the engine finds out whether it
//! races: with another plain access, or with a marked one, read-modify-writes included.
//!
//! So it is, too, with every location that is accessed plainly in a test that has a `filter`: what races there is a race
//! only if the execution is not left out, and how it ends is known at its end only. And in every test that is put to LKMM, by
//! which races are flagged and end no search.
//!
//! [`Program::shadow`]: gupcheck_program::Program::shadow
//!
//! # RCU
//!
//! A read-side section is a section of the kind `rcu`, from the outermost `rcu_read_lock` to its
//! `rcu_read_unlock`; `synchronize_rcu` waits for that kind. What is ordered is what
//! [`gupcheck_sync::Section`] promises, the full barriers of the grace period included.
//!
//! SRCU is the same, each `srcu_struct` a kind of its own. What the lock gives to the unlock is 0.
//!
//! # Locks
//!
//! The facade's locks can only be waited for. A lock that some process tries or looks at is an atomic cell, 0 while it
//! is free, taken by a compare-and-exchange. A `spin_lock` that finds it held waits until it is free, and tries
//! again; an engine may leave out the executions with such a round, for without the round there is one that ends alike.
//!
//! An execution in which a CPU waits for one that has ended, or is itself stuck behind one that has, is no execution:
//! it is counted as stuck, as herd leaves it out. One in which CPUs wait for each other in a circle is a deadlock.

use crate::intern::intern;
use crate::ir::{Code, Shape, address_of, location_at};
use gupcheck_sync::{Atomic, CellId, Layout, Plain, Section, SpinLock, Word};
use std::fmt;
use std::sync::Arc;

/// A value in a cell: a number, or an address.
///
/// In its word an `int` stands in the upper 32 bits, so that the facade's updates wrap as `int` and `atomic_t` do; an
/// address is its location's number, from 1, in the lower ones. (Other engines than the graph engine keep something of
/// their own beside a value, and would have no room for this.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) i64);

impl Word for Slot {
    fn into_word(self) -> u64 {
        match location_at(self.0) {
            Some(location) => location as u64 + 1,
            None => u64::from(self.0 as u32) << 32,
        }
    }
    fn from_word(word: u64) -> Self {
        match (word as u32).checked_sub(1) {
            Some(location) => Self(address_of(location as usize)),
            None => Self(i64::from((word >> 32) as i32)),
        }
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = Self::from_word(word);
        match location_at(value) {
            Some(location) => write!(f, "&#{location}"),
            None => write!(f, "{value}"),
        }
    }
}

/// What a location is made of.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Atomic(Atomic<Slot>),
    Plain(Plain<Slot>),
    /// The value, and the shadow.
    Mixed(Atomic<Slot>, Plain<bool>),
    Lock(SpinLock),
    TriedLock(Atomic<Slot>),
    /// Sections of their own.
    Srcu(Section),
}

impl Place {
    /// The cell that holds the value.
    pub(crate) fn cell(&self) -> Option<CellId> {
        match self {
            Self::Atomic(cell) | Self::Mixed(cell, _) | Self::TriedLock(cell) => Some(cell.id()),
            Self::Plain(cell) => Some(cell.id()),
            Self::Lock(_) | Self::Srcu(_) => None,
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
                Shape::Mixed => {
                    let shadow = intern(&format!("{name} (plain)"));
                    let cell = layout.atomic(name, init);
                    Place::Mixed(cell, layout.plain(shadow, false))
                }
                Shape::Lock => Place::Lock(layout.spin_lock(name)),
                Shape::TriedLock => Place::TriedLock(layout.atomic(name, init)),
                Shape::Srcu => Place::Srcu(layout.section(name)),
            });
        }
        Self {
            code,
            places,
            rcu: layout.section("rcu"),
        }
    }
}
