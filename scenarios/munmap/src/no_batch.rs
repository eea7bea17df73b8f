//! R17, where there is no memory for a batch of tables: each is freed by itself, after an interrupt of every CPU.
//!
//! No grace period keeps a walker's table then. The interrupt does, and it waits for interrupts off only. It comes before the
//! pages are dropped, so that here a walker never meets a page that is free.

use crate::table_free::{RCU, RELAXED, beside_munmap};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "munmap/no-batch",
    catalogue: "R17",
    about: "munmap frees the page tables that a GUP caller is walking, and has no memory to put them aside.",
    profiles: RCU,
    needs: &[
        Need::of(Step::IrqsOffBlockIpi, RCU),
        Need::of(Step::TableSyncIpi, RCU),
        Need::of(Step::EntrySingleLoad, RCU),
        Need::of(Step::PteRecheck, RCU),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    boot.no_table_batches();
    beside_munmap(size, boot)
}
