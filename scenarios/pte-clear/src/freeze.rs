//! R12 of a page in the swap cache: it is unmapped, its count frozen, and the mapping moved to another frame.
//!
//! Freezing is for those who find the page without any mapping, which nobody here does. Against a walker the look
//! that migration takes elsewhere would do (`look`).

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::gup::Foll;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};

use crate::look;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/freeze",
    catalogue: "R12",
    about: "The count of a page in the swap cache is frozen and its mapping moved while GUP, with the old entry, tries to get a reference.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    look::program(size, kernel, Foll::WRITE, |boot, _, page| {
        boot.add_to_swap_cache(page);
    })
}
