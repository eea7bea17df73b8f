//! R12, synchronous: what could not be moved in a batch is tried once more, by itself, with a flush for each entry.

use gupcheck_races::prelude::*;

use crate::batch;

pub(crate) const RACE: Race = Race {
    name: "migration/sync",
    catalogue: "R12",
    about: "A page that could not be moved in a batch is unmapped and moved by itself, while GUP gets it.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    batch::program(size, kernel, MigrateMode::Sync)
}
