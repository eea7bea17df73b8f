//! The same as `reclaim/large-pin` of the last page, whose head moves while it is pinned. For it there is no slot.

use gupcheck_races::prelude::*;

use crate::large;

pub(crate) const RACE: Race = Race {
    name: "reclaim/large-tail-pin",
    about: "Reclaim splits a large folio to swap out its pages, while GUP pins the last of them.",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::AddUnlessZero, PV_AND_ARM64),
        Need::of(Step::HeadRecheck, PV_AND_ARM64),
        Need::of(Step::PinBarrier, ONLY_ARM64),
        Need::of(Step::PincountBarrier, ONLY_ARM64),
        Need::of(Step::PteRecheck, PV_AND_ARM64),
        Need::of(Step::RefcountFreeze, PV_AND_ARM64),
        Need::of(Step::UnfreezeRelease, ONLY_ARM64),
        Need::of(Step::ListReference, PV_AND_ARM64),
    ],
    // Without the release of the frozen count the violation comes late.
    tested: &[Tested::part(1, 1, 40_000)],
    build: |size, kernel| large::build(size, kernel, true),
    ..large::RACE
};
