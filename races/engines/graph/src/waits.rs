//! Waits for sections, told by atomic updates.
//!
//! What a wait promises ([`gupcheck_sync::Section`]) is a choice for each section of another CPU: it ends before the
//! wait does, or it begins after the wait did. The choice is made where the wait *reaches* the other CPU, a moment
//! somewhere between its beginning and its end: sections entered before that moment are waited for,
//! sections entered later come after the beginning. So the graph has, for each CPU that waits, for each
//! set of kinds that it waits for, and for each other CPU, a cell of its own beside the program's:
//!
//! * a wait's beginning lets a *courier* go to each other CPU. Couriers are lanes of their own, after those of the
//!   program's CPUs, because they arrive in any order. A courier arrives by an update of the cell, with release; nothing
//!   comes before it but the beginning.
//! * Entering a section of one of these kinds is an update of the cell as well, with acquire. It reads how many waits
//!   have reached its CPU, and comes after their beginnings.
//! * The end of the wait is possible once all couriers have arrived, and each section that was entered before its
//!   CPU was reached has been left. It comes after that; there is no choice.
//!
//! Updates of one cell are in one order, and an update that comes late in the search finds its place by a backward
//! revisit, like every other. The order of two CPUs' couriers, or of two waiters', is no order of the graph.
//!
//! Which CPUs wait, and for what, is not known before they do. A search that meets a wait which it did not foresee
//! is begun again with it ([`Waits::with`]).

use std::sync::Arc;

use gupcheck_sync::{CellId, Look, Op, Rmw, RmwOrder, SectionId, SectionSet};

use super::clock::MAX_LANES;

/// Who waits, and for which kinds.
pub(super) type Wait = (usize, SectionSet);

/// The couriers and cells of a program's waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// The program's CPUs, and its cells.
    cpus: usize,
    cells: usize,
    /// In order.
    known: Vec<Wait>,
    /// The CPUs that wait, in order.
    waiters: Vec<usize>,
}

impl Waits {
    /// No wait is foreseen, in a program of so many CPUs and cells.
    pub(super) fn none(cpus: usize, cells: usize) -> Arc<Self> {
        Arc::new(Self {
            cpus,
            cells,
            ..Self::default()
        })
    }

    /// With one wait more; `None` if there are more couriers than the engine has lanes for.
    pub(super) fn with(&self, wait: Wait) -> Option<Arc<Self>> {
        let mut more = self.clone();
        if let Err(place) = more.known.binary_search(&wait) {
            more.known.insert(place, wait);
        }
        if let Err(place) = more.waiters.binary_search(&wait.0) {
            more.waiters.insert(place, wait.0);
        }
        (more.lanes() <= MAX_LANES).then(|| Arc::new(more))
    }

    /// Whether a CPU waits at all.
    pub(super) fn is_waiter(&self, cpu: usize) -> bool {
        self.waiters.binary_search(&cpu).is_ok()
    }

    pub(super) fn foresees(&self, wait: Wait) -> bool {
        self.known.binary_search(&wait).is_ok()
    }

    /// How many of the lanes are CPUs.
    pub(super) const fn cpus(&self) -> usize {
        self.cpus
    }

    /// How many lanes there are.
    pub(super) fn lanes(&self) -> usize {
        self.cpus + self.waiters.len() * (self.cpus.max(1) - 1)
    }

    /// How many cells there are beside the program's.
    pub(super) fn more_cells(&self) -> usize {
        self.known.len() * self.cpus
    }

    /// Whether a cell is none of the program's.
    pub(super) const fn is_own(&self, cell: u32) -> bool {
        cell as usize >= self.cells && cell != u32::MAX
    }

    /// The waiter and the CPU that it goes to, of a courier's lane.
    pub(super) fn courier(&self, lane: usize) -> Option<(usize, usize)> {
        let nth = lane.checked_sub(self.cpus)?;
        let others = self.cpus - 1;
        let (waiter, other) = (self.waiters[nth / others], nth % others);
        Some((waiter, other + usize::from(other >= waiter)))
    }

    /// The lane of the courier from one CPU to another.
    pub(super) fn lane(&self, waiter: usize, other: usize) -> usize {
        let nth = self.waiters.binary_search(&waiter).expect("foreseen");
        self.cpus + nth * (self.cpus - 1) + other - usize::from(other > waiter)
    }

    /// The cell of a wait at a CPU.
    pub(super) fn cell(&self, wait: Wait, cpu: usize) -> CellId {
        let nth = self.known.binary_search(&wait).expect("foreseen");
        CellId((self.cells + nth * self.cpus + cpu) as u32)
    }

    /// The waits of others that a section of this kind, of CPU `cpu`, is of interest to, in order.
    pub(super) fn of_section(&self, cpu: usize, kind: SectionId) -> impl Iterator<Item = Wait> {
        (self.known.iter().copied())
            .filter(move |(waiter, kinds)| *waiter != cpu && kinds.has(kind))
    }

    /// The update by which entering a section tells the `part`th wait that it is of interest to, counted from 1.
    pub(super) fn entering(&self, cpu: usize, kind: SectionId, part: u8) -> Option<Op> {
        let wait = self.of_section(cpu, kind).nth(usize::from(part) - 1)?;
        Some(Op::Rmw {
            cell: self.cell(wait, cpu),
            order: RmwOrder::Acquire,
            rmw: Rmw::Add(0),
            look: Look::Nothing,
        })
    }

    /// The update by which a courier arrives.
    pub(super) fn arriving(&self, wait: Wait, cpu: usize) -> Op {
        Op::Rmw {
            cell: self.cell(wait, cpu),
            order: RmwOrder::Release,
            rmw: Rmw::Add(1),
            look: Look::Nothing,
        }
    }

    /// How many events entering a section is.
    pub(super) fn parts_of_entering(&self, cpu: usize, kind: SectionId) -> usize {
        1 + 2 * self.of_section(cpu, kind).count()
    }
}
