//! Waits for sections, told by atomic updates.
//!
//! What a wait promises ([`gupcheck_sync::Section`]) is a choice for each section of another CPU: it ends before the
//! wait does, or it begins after the wait did. The choice is made where the wait *reaches* the other CPU, a moment
//! somewhere between its beginning and its end: sections entered before that moment are waited for,
//! sections entered later come after the beginning. So the graph has, for each CPU that waits, for each
//! set of kinds that it waits for, and for each other CPU that enters some, a cell of its own beside the program's:
//!
//! * a wait's beginning lets a *courier* go to each of these CPUs. Couriers are lanes of their own, after those of the
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
//! Which CPUs wait, and for what, and which enter sections, is not known before they do. A search that meets what it did not
//! foresee is begun again with it ([`Waits::with`]).

use std::sync::Arc;

use gupcheck_sync::{CellId, Look, Op, Rmw, RmwOrder, SectionId, SectionSet};

use super::clock::MAX_LANES;

/// Who waits, and for which kinds.
pub(super) type Wait = (usize, SectionSet);

/// What a search has to know of beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unforeseen {
    /// A CPU waits.
    Wait(Wait),
    /// A CPU enters a section.
    Section(usize, SectionId),
    /// A CPU touches what was not foreseen to be common ([`super::touches`]).
    Touch,
    /// Enough has been seen to foresee what is common.
    Enough,
    /// With what is foreseen now, CPUs take turns in another order ([`super::resume`]).
    Order,
}

impl Unforeseen {
    /// Whether what was explored before it was met stands.
    pub(super) const fn is_no_loss(self) -> bool {
        matches!(self, Self::Touch | Self::Enough)
    }
}

/// The couriers and cells of a program's waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// The program's CPUs, and its cells.
    cpus: usize,
    cells: usize,
    /// In order.
    known: Vec<Wait>,
    /// The kinds of sections that each CPU enters.
    entered: Vec<SectionSet>,
    /// Who sends a courier to whom, in order: a CPU that waits to one that enters what it waits for.
    couriers: Vec<(usize, usize)>,
}

impl Waits {
    /// Nothing is foreseen, in a program of so many CPUs and cells.
    pub(super) fn none(cpus: usize, cells: usize) -> Arc<Self> {
        Arc::new(Self {
            cpus,
            cells,
            entered: vec![SectionSet::default(); cpus],
            ..Self::default()
        })
    }

    /// With one thing more; `None` if there are more couriers than the engine has lanes for.
    pub(super) fn with(&self, unforeseen: Unforeseen) -> Option<Arc<Self>> {
        let mut more = self.clone();
        match unforeseen {
            Unforeseen::Wait(wait) => {
                if let Err(place) = more.known.binary_search(&wait) {
                    more.known.insert(place, wait);
                }
            }
            Unforeseen::Section(cpu, kind) => {
                more.entered[cpu] = more.entered[cpu].with(kind);
            }
            Unforeseen::Touch | Unforeseen::Enough | Unforeseen::Order => {}
        }
        more.couriers.clear();
        for &(waiter, kinds) in &more.known {
            let found = |&cpu: &usize| cpu != waiter && !more.entered[cpu].is_apart_from(kinds);
            let to = (0..more.cpus).filter(found);
            more.couriers.extend(to.map(|cpu| (waiter, cpu)));
        }
        more.couriers.sort_unstable();
        more.couriers.dedup();
        (more.lanes() <= MAX_LANES).then(|| Arc::new(more))
    }

    /// Whether it is known that a CPU enters sections of this kind.
    pub(super) fn foresees_section(&self, cpu: usize, kind: SectionId) -> bool {
        self.entered[cpu].has(kind)
    }

    /// Whether a CPU waits at all.
    pub(super) fn is_waiter(&self, cpu: usize) -> bool {
        self.known.iter().any(|(waiter, _)| *waiter == cpu)
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
        self.cpus + self.couriers.len()
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
        self.couriers.get(lane.checked_sub(self.cpus)?).copied()
    }

    /// The CPUs that a waiter sends couriers to, with their lanes.
    pub(super) fn couriers_of(&self, waiter: usize) -> impl Iterator<Item = (usize, usize)> {
        let lanes = (self.cpus..).zip(&self.couriers);
        lanes.filter_map(move |(lane, (from, to))| (*from == waiter).then_some((*to, lane)))
    }

    /// The lane of the courier from one CPU to another, if there is one.
    pub(super) fn lane(&self, waiter: usize, cpu: usize) -> Option<usize> {
        let nth = self.couriers.binary_search(&(waiter, cpu)).ok()?;
        Some(self.cpus + nth)
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

/// Why a program cannot be explored in which too many CPUs wait for too many others.
pub(super) fn too_many_waits() -> String {
    format!(
        "too many CPUs wait for the sections of too many others: CPUs and pairs of these come to more than {MAX_LANES}"
    )
}
