//! What the look at the count of a page that moves rests on: on one of three, whichever it is.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK};
use gupcheck_core::step::{Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;

fn verdict(profile: &'static Profile, without: &[Step]) -> Verdict {
    let race = gupcheck_pte_clear::RACES
        .iter()
        .find(|race| race.name == "pte-clear/look")
        .expect("the race");
    let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::of(without)));
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, profile));
    engine.explore(&program, &search).verdict
}

/// The order of the drop; what comes before the look at the pins, which on arm64 the flush has, too; and what comes after
/// exclusivity is given up.
const THREE: [&[Step]; 3] = [
    &[Step::PutOrdered],
    &[Step::FlushBarrier, Step::PeekBarrier],
    &[Step::ShareBarrier],
];

#[test]
fn each_of_three_will_do() {
    for profile in [&ARM64, &WEAK] {
        for kept in THREE {
            let others = THREE.into_iter().filter(|&other| other != kept);
            let without: Vec<_> = others.flatten().copied().collect();
            let holds = verdict(profile, &without);
            assert!(
                matches!(holds, Verdict::Complete),
                "{profile} with {kept:?} alone: {holds:?}"
            );
        }
    }
}

#[test]
fn without_any_of_them_a_page_moves_that_somebody_got() {
    for profile in [&ARM64, &WEAK] {
        let fails = verdict(profile, &THREE.concat());
        assert!(matches!(fails, Verdict::Failed(_)), "{profile}: {fails:?}");
    }
}
