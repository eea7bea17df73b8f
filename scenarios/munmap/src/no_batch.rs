//! R17, where there is no memory for a batch of tables: each is freed by itself, after an interrupt of every CPU.
//!
//! No grace period keeps a walker's table then. The interrupt does, and it waits for interrupts off only. It comes before the
//! pages are dropped, so that here a walker never meets a page that is free.

use crate::table_free::beside_munmap;
use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_PV, &ARM64, &WEAK, &RISCV_SBI, &POWERPC];

pub(crate) const RACE: Race = Race {
    name: "munmap/no-batch",
    catalogue: "R17",
    about: "munmap frees the page tables that a GUP caller is walking, and has no memory to put them aside.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::IrqsOffBlockIpi, PROFILES),
        Need::of(Step::TableSyncIpi, PROFILES),
        Need::of(Step::EntrySingleLoad, PROFILES),
        Need::of(Step::PteRecheck, PROFILES),
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK, &RISCV_SBI, &POWERPC],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    boot.no_table_batches();
    beside_munmap(size, boot)
}
