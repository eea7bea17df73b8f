//! What the [claims](super::claims) of CPUs may rest on.

use gupcheck_program::Program;
use gupcheck_sync::{CellId, LaneId};

/// Who reads what in every way.
#[derive(Debug)]
pub(super) struct Heard {
    shown: Vec<bool>,
    claimants: u32,
}

impl Heard {
    pub(super) fn of(program: &Program) -> Option<Self> {
        let witness = program.witnessed()?;
        let mut shown = vec![false; program.layout().cells().len()];
        (witness.shown().iter()).for_each(|cell| shown[cell.index()] = true);
        let lanes = 0..program.cpus().len();
        let claimants = lanes.filter(|&lane| witness.may_claim(LaneId(lane as u8)));
        Some(Self {
            shown,
            claimants: claimants.fold(0, |all, lane| all | 1 << lane),
        })
    }

    /// Whether a CPU's claims may rest on what it reads of a cell.
    pub(super) fn rests_on(&self, lane: usize, cell: CellId) -> bool {
        self.claimants >> lane & 1 == 1 && self.is_shown(cell.0)
    }

    /// Whether facts depend on a cell.
    pub(super) fn is_shown(&self, cell: u32) -> bool {
        self.shown.get(cell as usize).is_some_and(|&is| is)
    }
}
