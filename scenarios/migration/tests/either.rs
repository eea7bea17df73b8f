//! A page of the swap cache that moves is kept from a fault that finds it by either of two: its frozen count, or the fault's look
//! whether it is still there.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_PV};
use gupcheck_core::step::{Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;

fn verdict(profile: &'static Profile, without: &[Step]) -> Verdict {
    let race = gupcheck_migration::RACES
        .iter()
        .find(|race| race.name == "migration/swap-cache")
        .expect("the race");
    let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::of(without)));
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, profile));
    engine.explore(&program, &search).verdict
}

#[test]
fn each_of_two_will_do_and_one_must() {
    let two = [Step::RefcountFreeze, Step::SwapCacheRecheck];
    for profile in [&X86_PV, &ARM64, &WEAK] {
        for one in two {
            let holds = verdict(profile, &[one]);
            assert!(
                matches!(holds, Verdict::Complete),
                "{profile} without {one}: {holds:?}"
            );
        }
        let fails = verdict(profile, &two);
        assert!(matches!(fails, Verdict::Failed(_)), "{profile}: {fails:?}");
    }
}
