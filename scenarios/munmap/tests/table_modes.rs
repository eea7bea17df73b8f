//! R17 on flushes that interrupt nobody, or in vain: nothing but a wait for a walker with interrupts off keeps its tables.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, RISCV_SBI, TableFree, X86_NATIVE};
use gupcheck_core::step::{Kernel, Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

static AFTER_FLUSH: Profile = Profile {
    name: "after-flush",
    table_free: TableFree::AfterFlush,
    ..ARM64
};

fn verdict(kernel: Kernel) -> Verdict {
    let race = &gupcheck_munmap::RACES[0];
    assert_eq!(race.name, "munmap/table-free");
    let program = Arc::new((race.build)(Size::SMALLEST, kernel));
    let search = Search::unlimited(Model::Rc11);
    GraphEngine::ONE_THREAD.explore(&program, &search).verdict
}

#[test]
fn an_ipi_that_interrupts_off_delays_will_do_and_so_will_a_grace_period() {
    for profile in [&ARM64, &X86_NATIVE, &RISCV_SBI] {
        let verdict = verdict(Kernel::new(profile));
        assert!(
            matches!(verdict, Verdict::Complete),
            "{profile}: {verdict:?}"
        );
    }
}

/// riscv before 69be3fb111e7: the flush is a firmware's interrupt, which interrupts off does not delay, and tables go after it.
#[test]
fn a_flush_that_interrupts_nobody_and_a_firmwares_interrupt_will_not() {
    let before = Steps::of(&[Step::RcuTableFree]);
    for kernel in [
        Kernel::new(&AFTER_FLUSH),
        Kernel::new(&RISCV_SBI).without(before),
    ] {
        let Verdict::Failed(counterexample) = verdict(kernel) else {
            panic!("{} holds", kernel.profile);
        };
        let violation = &counterexample.violation;
        assert!(
            matches!(violation, Violation::DataRace { .. }),
            "{}: {violation:?}",
            kernel.profile
        );
    }
}
