//! F8: on arm64, until v6.16, who makes up for a flush that was put off waits for nothing (docs/findings.md).

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, X86_PV};
use gupcheck_core::step::{Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict};
use gupcheck_races::race::Size;

#[test]
fn a_barrier_waits_for_nobody_elses_invalidation() {
    let race = gupcheck_reclaim::RACES
        .iter()
        .find(|race| race.name == "reclaim/trusted-entry")
        .expect("the race");
    let verdict = |profile| {
        let without = Steps::of(&[Step::PendingInvalidates]);
        let program = Arc::new(race.program(Size::SMALLEST, profile, without));
        let engine = GraphEngine::ONE_THREAD;
        engine
            .explore(&program, &Search::unlimited(Model::Sc))
            .verdict
    };
    let arm64 = verdict(&ARM64);
    assert!(matches!(arm64, Verdict::Failed(_)), "{arm64:?}");
    let x86 = verdict(&X86_PV);
    assert!(matches!(x86, Verdict::Complete), "{x86:?}");
}
