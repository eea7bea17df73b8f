//! The graph engine against brute force.

use gupcheck_races::engine::Model;
use gupcheck_races::engine::graph::selfcheck::compare;

/// Programs for each model.
const PROGRAMS: u64 = 10_000;

fn agrees(model: Model) {
    let report = compare(1, PROGRAMS, model);
    if let Some(first) = report.mismatches.first() {
        panic!(
            "{} mismatches under {model}, first: {first}",
            report.mismatches.len()
        );
    }
    // Most programs must have been compared by their counts.
    assert!(report.counted > PROGRAMS / 2, "{report:?}");
    assert!(report.violating > PROGRAMS / 100, "{report:?}");
    assert!(report.too_large < PROGRAMS / 20, "{report:?}");
}

#[test]
fn sc_agrees_with_brute_force() {
    agrees(Model::Sc);
}

#[test]
fn tso_agrees_with_brute_force() {
    agrees(Model::Tso);
}

#[test]
fn rc11_agrees_with_brute_force() {
    agrees(Model::Rc11);
}
