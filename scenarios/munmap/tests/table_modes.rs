//! R17 under every way of freeing a table, on flushes that interrupt nobody: only those ways hold that wait
//! for a walker with interrupts off.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, TableFree, X86_NATIVE};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

static AFTER_FLUSH: Profile = Profile {
    name: "after-flush",
    table_free: TableFree::AfterFlush,
    ..ARM64
};
static AFTER_IPI: Profile = Profile {
    name: "after-ipi",
    table_free: TableFree::AfterIpi,
    ..ARM64
};
static AFTER_FIRMWARE_IPI: Profile = Profile {
    name: "after-firmware-ipi",
    table_free: TableFree::AfterFirmwareIpi,
    ..ARM64
};

fn verdict(profile: &'static Profile) -> Verdict {
    let race = &gupcheck_munmap::RACES[0];
    assert_eq!(race.name, "munmap/table-free");
    let program = Arc::new((race.build)(Size::SMALLEST, Kernel::new(profile)));
    let search = Search::unlimited(Model::Rc11);
    GraphEngine::ONE_THREAD.explore(&program, &search).verdict
}

#[test]
fn an_ipi_that_interrupts_off_delays_will_do_and_so_will_a_grace_period() {
    for profile in [&AFTER_IPI, &ARM64, &X86_NATIVE] {
        let verdict = verdict(profile);
        assert!(
            matches!(verdict, Verdict::Complete),
            "{profile}: {verdict:?}"
        );
    }
}

#[test]
fn a_flush_that_interrupts_nobody_and_a_firmwares_interrupt_will_not() {
    for profile in [&AFTER_FLUSH, &AFTER_FIRMWARE_IPI] {
        let Verdict::Failed(found) = verdict(profile) else {
            panic!("{profile}: holds");
        };
        assert!(matches!(found.violation, Violation::DataRace { .. }));
    }
}
