//! The graph engine against brute force.

use gupcheck_races::engine::Model;
use gupcheck_races::engine::graph::selfcheck::compare;
use gupcheck_races::engine::graph::selfcheck::generate::Family;

/// Programs for each model.
const PROGRAMS: u64 = 10_000;

fn agrees(model: Model) {
    let report = compare(Family::Mixed, 1, PROGRAMS, model);
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

/// Shared locks and waiting on memory: these are searched in another way.
#[test]
fn queues_agree_with_brute_force() {
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        let report = compare(Family::Queues, 1, 4_000, model);
        if let Some(first) = report.mismatches.first() {
            panic!("{} mismatches under {model}, first: {first}", report.mismatches.len());
        }
        assert!(report.counted > 1_000, "{report:?}");
        assert!(report.too_large < 400, "{report:?}");
    }
}
#[test]
fn zz() {
    for (f, n) in [(Family::Queues, 12_000), (Family::Mixed, 20_000)] { for model in [Model::Sc, Model::Tso, Model::Rc11] {
    let report = compare(f, 10_000, n, model);
    println!("{model}: {} {} {} {} {}", report.counted, report.violating, report.too_large, report.graphs, report.mismatches.len());
    let mut all: Vec<_> = report.mismatches.iter().collect();
    all.sort_by_key(|m| m.listing.cpus.iter().map(Vec::len).sum::<usize>());
    for m in all.iter().take(6) { println!("{m}"); }
    } }
}
