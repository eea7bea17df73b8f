//! F1 of `docs/findings.md`: where a lock orders no more than it promises, fork may miss a pin: the very first of an mm, and any
//! of a large folio.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

fn verdict(name: &str, profile: &'static Profile, model: Model) -> Verdict {
    let race = gupcheck_fork::RACES.iter().find(|race| race.name == name);
    let race = race.expect("there is such a race");
    let program = Arc::new((race.build)(Size::SMALLEST, Kernel::new(profile)));
    let search = Search::unlimited(model);
    GraphEngine::ONE_THREAD.explore(&program, &search).verdict
}

const LOST: [&str; 3] = ["fork/first-pin", "fork/large-folio", "fork/huge-pmd"];

#[test]
fn fork_misses_a_pin_where_a_lock_orders_no_more_than_it_promises() {
    for name in LOST {
        for profile in [&ARM64, &WEAK] {
            let Verdict::Failed(found) = verdict(name, profile, Model::Rc11) else {
                panic!("{name} under {profile}: the finding is gone");
            };
            let Violation::Property { .. } = found.violation else {
                panic!("{name} under {profile}: {:?}", found.violation);
            };
        }
    }
}

/// It is the order that is missing, and nothing else: where all operations come in their order it holds.
#[test]
fn the_order_is_all_that_is_missing() {
    for name in LOST {
        let verdict = verdict(name, &ARM64, Model::Sc);
        assert!(matches!(verdict, Verdict::Complete), "{name}: {verdict:?}");
    }
}
