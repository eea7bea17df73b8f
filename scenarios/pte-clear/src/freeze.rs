//! R12 of a page in the swap cache: it is unmapped, its count frozen, and the mapping moved to another frame.
//!
//! Freezing is for those who find the page without any mapping, which nobody here does. Against a walker the look
//! that migration takes elsewhere would do (`look`).

use gupcheck_races::prelude::*;

use crate::look;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/freeze",
    catalogue: "R12",
    about: "The count of a page in the swap cache is frozen and its mapping moved while GUP, with the old entry, tries to get a reference.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    look::program(size, kernel, Foll::WRITE, |boot, _, page| {
        boot.add_to_swap_cache(page);
    })
}
