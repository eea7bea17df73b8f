//! One event of an execution graph.
//!
//! An event keeps the operation as the CPU asked for it, so that a memory model can look at whatever
//! it cares for (orderings, dependencies), and beside it only what is the same under
//! every model: what it read, from which write, what it wrote, and where in coherence order.
//!
//! A `spin_until` that reads what does not end it is an event as well: the CPU is stuck there, until a
//! backward revisit lets it read something else. The CPU has not been answered.
//!
//! Taking or dropping a reader-writer lock may be several events too, its parts ([`super::queue`]); so are a wait and
//! entering a section ([`super::waits`]).
//!
//! An atomic update that writes is **two** events, one right after the other: a read that is *granted*
//! and the write of the same operation. They cannot be one, because a backward revisit can change what
//! the first reads, and the second is a new event then. A refused update is a read alone.

use gupcheck_sync::{Depends, Op, Site};
use gupcheck_tree::NodeId;

use super::clock::Clock;
use super::id::EventId;

/// What a CPU is about to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) op: Op,
    pub(super) site: Site,
    /// Whether this is the second half of an update that was granted: its write.
    pub(super) is_second: bool,
    /// Which part of an operation that is several events: on a lock ([`super::queue`]), of a wait, of entering a
    /// section ([`super::waits`]).
    pub(super) part: u8,
    /// Where in its code the CPU asks for it; [`NOT_CODE`] for a courier.
    pub(super) node: NodeId,
    /// The how many-th operation of its CPU it is.
    pub(super) nth: u16,
    /// What it was computed from, if the CPU says so.
    pub(super) depends: Option<Depends>,
}

impl Asked {
    /// Whether an operation begins with this.
    pub(super) const fn begins(&self) -> bool {
        !self.is_second && self.part == 0
    }
}

/// What a courier does is in no CPU's code.
pub(super) const NOT_CODE: NodeId = NodeId(u32::MAX);

/// What became of an operation that reads or writes a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    /// The write that it reads from, where it reads.
    pub(super) source: EventId,
    /// The value read, or 0.
    pub(super) read: u64,
    /// The value written, where it writes.
    pub(super) wrote: Option<u64>,
    /// Where in the cell's coherence order it writes (the initial value is at 0).
    pub(super) position: u16,
    /// Whether it is the first half of an update that is granted.
    pub(super) granted: bool,
    /// The answer that it has anyway; see [`super::dominated`].
    pub(super) known: Option<u64>,
    /// Whether it only stands for a plain access to another cell; see [`super::shadow`].
    pub(super) stands_for: bool,
}

impl Effect {
    /// Of operations that touch no cell.
    pub(super) const NONE: Self = Self {
        source: EventId::INIT,
        read: 0,
        wrote: None,
        position: 0,
        granted: false,
        known: None,
        stands_for: false,
    };
}

/// An event in a graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// What was asked.
    pub(super) op: Op,
    /// By which line.
    pub(super) site: Site,
    /// The write that it reads from, if it reads.
    pub(super) source: EventId,
    /// The value read, or 0.
    pub(super) read: u64,
    /// The value written, or 0.
    pub(super) wrote: u64,
    /// The cell, or [`NOWHERE`].
    pub(super) cell: u32,
    /// When it was added, by a count that never goes back; see [`super::revisit`].
    pub(super) stamp: u32,
    /// Where in coherence order, if it writes. Later insertions move it.
    pub(super) position: u16,
    /// The CPU's previous event on the same cell: its index and one more, or 0.
    pub(super) previous: u16,
    /// Whether it reads a cell.
    pub(super) reads: bool,
    /// Whether it writes a cell.
    pub(super) writes: bool,
    /// Whether it is the first half of an update that is granted; the second half comes next.
    pub(super) granted: bool,
    /// Whether it is the second half of an update.
    pub(super) is_second: bool,
    /// Which part of an operation that is several events.
    pub(super) part: u8,
    /// Whether it is a `spin_until` that read what does not end it, and so the last of its CPU.
    pub(super) stuck: bool,
    /// If it took a lock ahead of a critical section that was there first: the event that took the
    /// lock for that section (and will again), and its stamp. See [`super::overtake`].
    pub(super) overtook: Option<(EventId, u32)>,
    /// If it is a load that need not read a write as long as its answer is this one: the answer that it has from what
    /// its CPU knew before. See [`super::dominated`].
    pub(super) known: Option<u64>,
    /// Whether this event and all before it are what the CPU's twin did; see [`super::symmetry`].
    pub(super) alike: bool,
    /// Where in its code the CPU asked for it.
    pub(super) node: NodeId,
    /// The how many-th operation of its CPU it is.
    pub(super) nth: u16,
    /// What it was computed from, if the CPU says so.
    pub(super) depends: Option<Depends>,
    /// Whether it is carried out as if marked and is a plain access: its shadow comes right before it; see
    /// [`super::shadow`].
    pub(super) is_shadowed: bool,
    /// All events that come before it by program order and reads-from (locks, sections, waits, spawns
    /// and joins included), and itself.
    pub(super) before: Clock,
    /// All events without which it cannot be kept: the same, and what twins add to it.
    pub(super) needs: Clock,
}

/// The cell of an event that touches none.
pub(super) const NOWHERE: u32 = u32::MAX;

impl Event {
    /// What was asked.
    pub(super) const fn asked(&self) -> Asked {
        Asked {
            op: self.op,
            site: self.site,
            is_second: self.is_second,
            part: self.part,
            node: self.node,
            nth: self.nth,
            depends: self.depends,
        }
    }

    /// Whether it is an access to a cell that is not atomic.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.op, Op::Read { .. } | Op::Write { .. })
    }

    /// Whether it stands for a plain access, and touches nothing.
    pub(super) const fn is_shadow(&self) -> bool {
        self.is_plain() && !self.reads && !self.writes
    }
}
