//! The graph engine against brute force. As much as an everyday test may cost; `gupcheck selfcheck --programs 100000` is the
//! longer one.

use gupcheck_graph::selfcheck::generate::Family;
use gupcheck_graph::selfcheck::{Report, compare};
use gupcheck_program::Model;

/// Programs of the mixed family for each model.
const PROGRAMS: u64 = 1_500;

/// Programs of each other family for each model.
const FEWER: u64 = 300;

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

fn agrees(model: Model, (programs, fewer): (u64, u64)) {
    let mixed = agreeing(Family::Mixed, model, programs);
    // Most programs must have been compared by their counts.
    assert!(mixed.counted > programs / 2, "{mixed:?}");
    assert!(mixed.violating > programs / 100, "{mixed:?}");
    for family in Family::ALL.into_iter().skip(1) {
        let report = agreeing(family, model, fewer);
        // Of plain accesses about half race.
        let least = match family {
            Family::Plain | Family::Dependencies => fewer / 3,
            _ => fewer * 2 / 3,
        };
        assert!(report.counted > least, "{report:?}");
        assert!(report.graphs > fewer * 3 / 2, "{report:?}");
    }
}

#[test]
fn sc_agrees_with_brute_force() {
    agrees(Model::Sc, (PROGRAMS, FEWER));
}

#[test]
fn tso_agrees_with_brute_force() {
    agrees(Model::Tso, (PROGRAMS, FEWER));
}

#[test]
fn rc11_agrees_with_brute_force() {
    agrees(Model::Rc11, (PROGRAMS, FEWER));
}

#[test]
fn lkmm_agrees_with_brute_force() {
    // Brute force takes longer here: the relations are many.
    agrees(Model::Lkmm, (1_000, 200));
}

#[test]
fn what_an_operation_says_of_later_ones_is_carried_nowhere() {
    let report = compare(Family::Dependencies, 303_065, 1, Model::Lkmm);
    assert!(report.mismatches.is_empty(), "{}", report.mismatches[0]);
    assert_eq!(report.counted, 1);
}
