//! The graph engine against brute force. As much as an everyday test may cost; `gupcheck selfcheck --programs 100000` is the
//! longer one.

use gupcheck_graph::selfcheck::generate::Family;
use gupcheck_graph::selfcheck::{Report, compare};
use gupcheck_program::Model;

/// Programs of the mixed family for each model.
const PROGRAMS: u64 = 2_500;

/// Programs of each other family for each model.
const FEWER: u64 = 500;

fn agreeing(family: Family, model: Model, programs: u64) -> Report {
    let report = compare(family, 1, programs, model);
    if let Some(first) = report.mismatches.first() {
        panic!(
            "{} mismatches under {model}, first: {first}",
            report.mismatches.len()
        );
    }
    assert!(report.too_large < programs / 20, "{report:?}");
    report
}

fn agrees(model: Model) {
    let mixed = agreeing(Family::Mixed, model, PROGRAMS);
    // Most programs must have been compared by their counts.
    assert!(mixed.counted > PROGRAMS / 2, "{mixed:?}");
    assert!(mixed.violating > PROGRAMS / 100, "{mixed:?}");
    for family in Family::ALL.into_iter().skip(1) {
        let report = agreeing(family, model, FEWER);
        assert!(report.counted > FEWER * 2 / 3, "{report:?}");
        assert!(report.graphs > FEWER * 2, "{report:?}");
    }
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
