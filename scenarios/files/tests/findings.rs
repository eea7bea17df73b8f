//! F12, F13 and F14: what comes of pages that somebody writes to while they are written out (docs/findings.md).

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, WEAK, X86_PV};
use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict};
use gupcheck_races::race::Size;

/// How a race ends under a profile and a model.
fn verdict(name: &str, profile: &'static gupcheck_core::arch::Profile, model: Model) -> Verdict {
    let mut races = gupcheck_files::RACES.iter();
    let race = races.find(|race| race.name == name).expect("the race");
    let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::NONE));
    let engine = GraphEngine::ONE_THREAD;
    engine.explore(&program, &Search::unlimited(model)).verdict
}

#[test]
fn what_a_cpu_copied_may_be_forgotten_and_is_not_under_sequential_consistency() {
    for (profile, model) in [
        (&X86_PV, Model::Tso),
        (&ARM64, Model::Rc11),
        (&WEAK, Model::Rc11),
    ] {
        let weak = verdict("files/copy-writeback", profile, model);
        assert!(matches!(weak, Verdict::Failed(_)), "{profile}: {weak:?}");
        let sc = verdict("files/copy-writeback", profile, Model::Sc);
        assert!(matches!(sc, Verdict::Complete), "{profile}: {sc:?}");
        let device = verdict("files/unpin-writeback", profile, model);
        assert!(matches!(device, Verdict::Complete), "{profile}: {device:?}");
    }
}

#[test]
fn a_file_system_does_not_hear_of_what_a_short_pin_writes() {
    let sc = verdict("files/short-pin", &X86_PV, Model::Sc);
    assert!(matches!(sc, Verdict::Failed(_)), "{sc:?}");
    let long = verdict("files/longterm-writeback", &X86_PV, Model::Sc);
    assert!(matches!(long, Verdict::Complete), "{long:?}");
}

#[test]
fn what_user_space_writes_is_lost_while_a_flush_is_put_off_and_not_while_one_zaps() {
    let reclaim = verdict("files/reclaim-writeback", &X86_PV, Model::Sc);
    assert!(matches!(reclaim, Verdict::Failed(_)), "{reclaim:?}");
    let zap = verdict("files/delayed-rmap", &X86_PV, Model::Sc);
    assert!(matches!(zap, Verdict::Complete), "{zap:?}");
}
