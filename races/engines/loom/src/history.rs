//! What was written to one atomic cell in one execution, and who saw it.
//!
//! loom is asked for as little as possible. The only thing that goes through loom's memory is the
//! **name of a write**; what that write wrote is looked up here. So a read always tells which write it
//! took, values may have any width, and every unconditional read-modify-write is the same loom
//! operation (`fetch_add(1)`, which turns the name of the write that it read into a fresh one).
//!
//! Names, per cell: 0 is the initial value, a store or a conditional read-modify-write is `n << 32`, and
//! an unconditional one's write is its source's name plus one. Two of them never read the same write,
//! so names are unique.

use gupcheck_sync::{CellId, LaneId, Source};

use super::bounds::MAX_CPUS;

/// The name of a write to one cell.
pub(super) type WriteName = u64;

const STORE: WriteName = 1 << 32;

struct Write {
    name: WriteName,
    source: Source,
    value: u64,
    /// Some CPU saw this write and then another one: it is not the last in coherence order.
    overtaken: bool,
}

/// What a read of a cell found.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// The value.
    pub(super) value: u64,
    /// The write that it is from.
    pub(super) source: Source,
}

/// One atomic cell.
pub(super) struct History {
    cell: CellId,
    writes: Vec<Write>,
    /// The write that each CPU saw or made last.
    seen: [Option<usize>; MAX_CPUS],
    /// Reads so far, and at how many of them each CPU read last.
    reads: u32,
    last_read: [u32; MAX_CPUS],
    stores: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            cell: CellId(u32::MAX),
            writes: Vec::new(),
            seen: [None; MAX_CPUS],
            reads: 0,
            last_read: [0; MAX_CPUS],
            stores: 0,
        }
    }
}

impl History {
    /// Stands for `cell` from now on, to which nobody has written yet.
    pub(super) fn reset(&mut self, cell: CellId, init: u64) {
        let mut writes = std::mem::take(&mut self.writes);
        writes.clear();
        writes.push(Write {
            name: 0,
            source: Source::Init,
            value: init,
            overtaken: false,
        });
        *self = Self {
            cell,
            writes,
            ..Self::default()
        };
    }

    /// The cell that it is of.
    pub(super) fn cell(&self) -> CellId {
        self.cell
    }

    /// The write that is last in coherence order, as far as anybody could tell: its name and value.
    pub(super) fn latest(&self) -> (WriteName, u64) {
        let write = &self.writes[self.latest_index()];
        (write.name, write.value)
    }

    fn latest_index(&self) -> usize {
        let last = self.writes.iter().rposition(|write| !write.overtaken);
        last.unwrap_or(self.writes.len() - 1)
    }

    /// Whether a CPU has seen that write, and so will never read another one of these.
    pub(super) fn has_seen_the_latest(&self, lane: LaneId) -> bool {
        self.seen[lane.index()] == Some(self.latest_index())
    }

    /// A name for the next store.
    pub(super) fn name_store(&mut self) -> WriteName {
        self.stores += 1;
        self.stores * STORE
    }

    /// A CPU read the write of this name.
    pub(super) fn saw(&mut self, lane: LaneId, name: WriteName) -> Seen {
        let index = (self.writes.iter())
            .rposition(|write| write.name == name)
            .expect("every write has been taken down before it can be read");
        self.overtake(lane, index);
        self.reads += 1;
        self.last_read[lane.index()] = self.reads;
        let write = &self.writes[index];
        Seen {
            value: write.value,
            source: write.source,
        }
    }

    /// A CPU wrote.
    pub(super) fn wrote(&mut self, lane: LaneId, name: WriteName, value: u64, source: Source) {
        self.writes.push(Write {
            name,
            source,
            value,
            overtaken: false,
        });
        self.writes[0].overtaken = true;
        self.overtake(lane, self.writes.len() - 1);
    }

    /// What one CPU sees of a cell only ever moves forward in its coherence order.
    fn overtake(&mut self, lane: LaneId, index: usize) {
        let before = self.seen[lane.index()].replace(index);
        if let Some(before) = before.filter(|&before| before != index) {
            self.writes[before].overtaken = true;
        }
    }

    /// Whether a CPU has read the cell after another CPU had.
    pub(super) fn hides_a_read_of(&self, lane: LaneId) -> bool {
        let own = self.last_read[lane.index()];
        (self.last_read.iter()).any(|&other| other != 0 && other < own)
    }
}
