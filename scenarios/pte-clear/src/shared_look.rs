//! R12 of a page that is not exclusive: it may be mapped by somebody else as well, and nobody looks for pins of it.
//!
//! So no barrier is there but those of the map count that goes down and of the mapping's reference that is dropped, and what
//! the flush has. Each of these would do by itself (`tests/look.rs`).

use gupcheck_races::prelude::*;

use crate::look;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/shared-look",
    catalogue: "R12",
    about: "The count of a page that is not exclusive is looked at and its mapping moved while GUP, with the old entry, tries to get a reference.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    look::program(size, kernel, Foll::empty(), |boot, area, page| {
        boot.share(area, page);
    })
}
