//! What v6.6 to v6.8 lose: the pages of a device's huge mapping are taken by atomics that order nothing, and no barrier
//! comes before the pmd is looked at again.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, X86_PV};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

fn verdict(name: &str, profile: &'static Profile, model: Model) -> Verdict {
    let race = gupcheck_devmap::RACES.iter().find(|race| race.name == name);
    let race = race.expect("there is such a race");
    let program = Arc::new((race.build)(Size::SMALLEST, Kernel::new(profile)));
    let search = Search::unlimited(model);
    GraphEngine::ONE_THREAD.explore(&program, &search).verdict
}

#[test]
fn the_pages_of_a_huge_mapping_are_lost_on_arm64() {
    let Verdict::Failed(found) = verdict("devmap/huge-layout", &ARM64, Model::Rc11) else {
        panic!("it holds: has the barrier come?");
    };
    assert!(
        matches!(found.violation, Violation::Property { .. }),
        "{:?}",
        found.violation
    );
}

/// It is the order that is missing, and nothing else: where all operations come in their order it holds.
#[test]
fn the_order_is_all_that_is_missing() {
    for (profile, model) in [(&ARM64, Model::Sc), (&X86_PV, Model::Tso)] {
        let verdict = verdict("devmap/huge-layout", profile, model);
        assert!(
            matches!(verdict, Verdict::Complete),
            "{profile}: {verdict:?}"
        );
    }
}
