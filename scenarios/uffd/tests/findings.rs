//! F9 of `docs/findings.md`: between the cleared entry and its look at the pins `UFFDIO_MOVE` has no barrier of its own.

use std::sync::Arc;

use gupcheck_core::arch::{POWERPC, Profile, WEAK};
use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

fn verdict(name: &str, profile: &'static Profile, model: Model) -> Verdict {
    let race = gupcheck_uffd::RACES.iter().find(|race| race.name == name);
    let race = race.expect("there is such a race");
    let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::NONE));
    let search = Search::unlimited(model);
    GraphEngine::ONE_THREAD.explore(&program, &search).verdict
}

const MOVED: [&str; 2] = ["uffd/pin", "uffd/huge-pin"];

#[test]
fn a_pinned_page_moves_where_neither_a_clear_nor_a_flush_orders_anything() {
    for name in MOVED {
        for profile in [&POWERPC, &WEAK] {
            let Verdict::Failed(found) = verdict(name, profile, Model::Rc11) else {
                panic!("{name} under {profile}: the finding is gone");
            };
            let Violation::Property { text, .. } = found.violation else {
                panic!("{name} under {profile}: {:?}", found.violation);
            };
            assert!(text.ends_with("(I4)"), "{name} under {profile}: {text}");
        }
    }
}

/// It is the order that is missing, and nothing else: where all operations come in their order it holds.
#[test]
fn the_order_is_all_that_is_missing() {
    for name in MOVED {
        let verdict = verdict(name, &POWERPC, Model::Sc);
        assert!(matches!(verdict, Verdict::Complete), "{name}: {verdict:?}");
    }
}
