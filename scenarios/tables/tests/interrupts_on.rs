//! R22 where tables are freed after a flush that is an IPI: walkers are waited for, and faults are not.

use std::sync::Arc;

use gupcheck_core::arch::{Profile, X86_NATIVE, X86_PV};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

fn verdict(profile: &'static Profile) -> Verdict {
    let race = (gupcheck_tables::RACES.iter()).find(|race| race.name == "tables/emptied");
    let build = race.expect("a race of this family").build;
    let program = Arc::new(build(Size::SMALLEST, Kernel::new(profile)));
    GraphEngine::ONE_THREAD
        .explore(&program, &Search::unlimited(Model::Tso))
        .verdict
}

/// Why v6.14 frees by RCU the tables that it reclaims, on bare x86 as well.
#[test]
fn an_ipi_does_not_wait_for_a_fault() {
    let Verdict::Failed(found) = verdict(&X86_NATIVE) else {
        panic!("a fault is waited for");
    };
    assert!(matches!(found.violation, Violation::DataRace { .. }));
    let holds = verdict(&X86_PV);
    assert!(matches!(holds, Verdict::Complete), "{holds:?}");
}
