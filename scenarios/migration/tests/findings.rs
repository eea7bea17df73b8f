//! F7: migration copies a page without having read its count first, but for a branch (docs/findings.md).

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, WEAK};
use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict};
use gupcheck_races::race::Size;

#[test]
fn what_the_last_holder_wrote_may_be_lost_and_is_not_under_sequential_consistency() {
    let race = gupcheck_migration::RACES
        .iter()
        .find(|race| race.name == "migration/contents")
        .expect("the race");
    for profile in [&ARM64, &WEAK] {
        let verdict = |model| {
            let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::NONE));
            let engine = GraphEngine::ONE_THREAD;
            engine.explore(&program, &Search::unlimited(model)).verdict
        };
        let weak = verdict(Model::Rc11);
        assert!(matches!(weak, Verdict::Failed(_)), "{profile}: {weak:?}");
        let sc = verdict(Model::Sc);
        assert!(matches!(sc, Verdict::Complete), "{profile}: {sc:?}");
    }
}
