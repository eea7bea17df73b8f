//! Which cells several CPUs touch, and what need not be an event because nobody else could tell.
//!
//! A cell that nobody writes, and one that only one CPU touches, can be read in one way only: its first value, or what
//! that CPU wrote last. Such an access has no choice, orders nothing that program order does not, and is in no data
//! race; it may as well be no event. The same is true of entering and leaving sections that nobody waits for. In the
//! kernel's races this is more than half of all operations. [`Code`](super::code::Code) passes them over.
//!
//! What is *common*, that is, what must be events, is not known before everybody has run. It is learnt:
//!
//! 1. A survey: the first few executions are explored with everything taken for common, and each operation that is
//!    asked for is taken down ([`Touches`]). Most searches are small and end here.
//! 2. Then the search goes on with what was seen to be common ([`Foresight::learnt`]): from where it is
//!    ([`resume`](super::resume)), as what it has explored is right either way.
//! 3. If an operation shows that more is common than was thought, the search goes on with that, too.
//!
//! So what was explored with less in common has met no such operation. Nothing is lost: take any execution in which something
//! that was passed over is somebody else's business, and the first operation that makes it so. All
//! that comes before that operation is part of an execution that was explored, and at its end the operation was asked for.
//!
//! An update that is a fence as well orders more than its cell, and a `spin_until` may have to wait: their cells count
//! as common. So do cells of a [witness](Program::witness) that are written at all.
//!
//! All threads of a search keep one account: two of them may each see one half of a conflict.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gupcheck_program::Program;
use gupcheck_sync::{CellId, Op, RmwOrder, SectionSet};

use super::waits::Waits;

/// What must be events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Common {
    cells: Vec<bool>,
    /// The kinds of sections that somebody waits for.
    waited: SectionSet,
}

impl Common {
    fn everything(program: &Program) -> Self {
        Self {
            cells: vec![true; program.layout().cells().len()],
            waited: SectionSet(u8::MAX),
        }
    }

    /// Whether something is common here and not there.
    pub(super) fn has_more_than(&self, other: &Self) -> bool {
        let pairs = self.cells.iter().zip(&other.cells);
        pairs.into_iter().any(|(&here, &there)| here && !there)
            || self.waited.0 & !other.waited.0 != 0
    }

    /// Whether an operation is an event, if this is what is common.
    pub(super) fn makes_event(&self, op: &Op) -> bool {
        matches!(op, Op::SpinUntil { .. } | Op::Wait(_)) || self.covers(op)
    }

    /// Whether what an operation touches is common.
    fn covers(&self, op: &Op) -> bool {
        match *op {
            Op::Load { cell, .. }
            | Op::SpinUntil { cell, .. }
            | Op::Store { cell, .. }
            | Op::Rmw { cell, .. }
            | Op::Read { cell }
            | Op::Write { cell, .. } => {
                // The engine's own cells are beyond the program's.
                self.cells.get(cell.index()).copied().unwrap_or(true)
            }
            Op::Enter(kind) | Op::Leave(kind) => self.waited.has(kind),
            Op::Wait(kinds) => kinds.0 & !self.waited.0 == 0,
            _ => true,
        }
    }
}

/// Who touches a cell: a bit for each CPU.
#[derive(Debug, Default)]
struct Touched {
    readers: AtomicU32,
    writers: AtomicU32,
    /// Whether a witness looks at it: then one CPU that writes it is enough.
    is_watched: bool,
}

/// In `writers`: the cell is common whoever touches it.
const EVERYBODY: u32 = 1 << 31;

impl Touched {
    fn is_common(&self) -> bool {
        let writers = self.writers.load(Ordering::SeqCst);
        let all = writers | self.readers.load(Ordering::SeqCst);
        writers & EVERYBODY != 0 || writers != 0 && (self.is_watched || !all.is_power_of_two())
    }
}

/// Who touches what, as far as it was seen.
#[derive(Debug)]
pub(super) struct Touches {
    cells: Vec<Touched>,
    /// The kinds of sections that are waited for.
    waited: AtomicU32,
    /// Whether an update of this order is a fence as well.
    is_fence: fn(RmwOrder) -> bool,
}

impl Touches {
    /// Nobody has touched anything. Cells with plain accesses to atomic ones ([`super::shadow`]) are common: those races
    /// are found in another way.
    fn none(program: &Program, is_fence: fn(RmwOrder) -> bool) -> Self {
        let cells = program.layout().cells().iter();
        let mut touches = Self {
            cells: cells.map(|_| Touched::default()).collect(),
            waited: AtomicU32::new(0),
            is_fence,
        };
        let watched = program.witnessed().into_iter();
        for cell in watched.flat_map(|w| w.shown().iter().chain(w.counts())) {
            touches.cells[cell.index()].is_watched = true;
        }
        for &(shadow, cell) in program.shadows() {
            touches.mark(shadow, 0, EVERYBODY);
            touches.mark(cell, 0, EVERYBODY);
        }
        touches
    }

    /// Takes down an operation of a CPU. Whether what it touches is common, by all that has been seen.
    fn touch(&self, lane: usize, op: &Op) -> bool {
        let cpu = 1 << lane;
        match *op {
            Op::Load { cell, .. } | Op::Read { cell } => self.mark(cell, cpu, 0),
            Op::Store { cell, .. } | Op::Write { cell, .. } => self.mark(cell, 0, cpu),
            Op::Rmw { cell, order, .. } if (self.is_fence)(order) => self.mark(cell, 0, EVERYBODY),
            Op::Rmw { cell, .. } => self.mark(cell, cpu, cpu),
            Op::SpinUntil { cell, .. } => self.mark(cell, 0, EVERYBODY),
            Op::Wait(kinds) => {
                self.waited.fetch_or(kinds.0.into(), Ordering::SeqCst);
                true
            }
            Op::Enter(kind) | Op::Leave(kind) => self.waited().has(kind),
            _ => true,
        }
    }

    /// Whether the cell is common now.
    fn mark(&self, cell: CellId, readers: u32, writers: u32) -> bool {
        let touched = &self.cells[cell.index()];
        // ORDERING: of two threads that each take down one half of a conflict, one at least sees the other's half: each
        // writes before it looks, and all of these are in one order.
        touched.readers.fetch_or(readers, Ordering::SeqCst);
        touched.writers.fetch_or(writers, Ordering::SeqCst);
        touched.is_common()
    }

    fn waited(&self) -> SectionSet {
        SectionSet(self.waited.load(Ordering::SeqCst) as u8)
    }

    fn common(&self) -> Common {
        Common {
            cells: self.cells.iter().map(Touched::is_common).collect(),
            waited: self.waited(),
        }
    }
}

/// What a search goes by.
#[derive(Clone, Debug)]
pub(super) struct Foresight {
    /// The waits that are foreseen.
    pub(super) waits: Arc<Waits>,
    common: Arc<Common>,
    touches: Arc<Touches>,
    /// Whether it is still to be learnt what is common: everything is taken for it.
    pub(super) surveys: bool,
    /// Whether what was not foreseen is passed over all the same: for a test of what that would lose.
    #[cfg(test)]
    pub(super) is_deaf: bool,
}

impl Foresight {
    /// No wait is foreseen, and everything is an event. `is_fence` says of an update's order whether it is a fence as
    /// well.
    pub(super) fn none(program: &Program, is_fence: fn(RmwOrder) -> bool) -> Self {
        Self {
            waits: Waits::none(program.cpus().len(), program.layout().cells().len()),
            common: Arc::new(Common::everything(program)),
            touches: Arc::new(Touches::none(program, is_fence)),
            surveys: true,
            #[cfg(test)]
            is_deaf: false,
        }
    }

    /// With these waits.
    #[must_use]
    pub(super) fn with_waits(&self, waits: &Arc<Waits>) -> Self {
        Self {
            waits: Arc::clone(waits),
            ..self.clone()
        }
    }

    /// With what has been seen by now to be common.
    #[must_use]
    pub(super) fn learnt(&self) -> Self {
        Self {
            common: Arc::new(self.touches.common()),
            surveys: false,
            ..self.clone()
        }
    }

    /// What is taken for common.
    pub(super) const fn common(&self) -> &Arc<Common> {
        &self.common
    }

    /// Takes down an operation that a CPU asks for; whether it shows that more must be events than was foreseen.
    pub(super) fn is_news(&self, lane: usize, op: &Op) -> bool {
        #[cfg(test)]
        if self.is_deaf {
            return false;
        }
        let is_common = self.touches.touch(lane, op);
        is_common && !self.common.covers(op)
    }
}
