//! Estimates of how many executions there are, against how many there are.

use std::sync::Arc;

use gupcheck_graph::estimate;
use gupcheck_peer::{m1, m2, m3};
use gupcheck_program::{Model, Program, Reductions};

/// Many, for some of the trees are lopsided: a few probes in a thousand count for most of the mean.
const PROBES: u32 = 1 << 13;

/// The estimate is off by less than four standard errors and they are less than a fifth of it. Random numbers are
/// always the same, so this either holds or does not.
fn is_near(program: Program, model: Model, reductions: Reductions, executions: f64) {
    let estimate = estimate(&Arc::new(program), model, reductions, (PROBES, 1)).expect("enough");
    let off = (estimate.executions - executions).abs();
    let what = format!("{estimate}, and there are {executions} under {model}");
    assert!(off < 4.0 * estimate.error, "{what}");
    assert!(estimate.error < executions / 5.0, "{what}");
}

#[test]
fn estimates_are_near_the_counts() {
    let m1 = || m1::program(2, 1, m1::Variant::Correct);
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        is_near(m1(), model, Reductions::NONE, 215.0);
        is_near(m1(), model, Reductions::ALL, 49.0);
        let m3 = m3::program(2, 1, m3::Variant::Ipi);
        is_near(m3, model, Reductions::NONE, 49.0);
    }
    let m2 = m2::program(2, 1, m2::Variant::default());
    is_near(m2, Model::Rc11, Reductions::NONE, 311.0);
}

#[test]
fn the_same_seed_gives_the_same_estimate() {
    let [one, other, third] = [7, 7, 8].map(|seed| {
        let program = Arc::new(m1::program(3, 1, m1::Variant::Correct));
        estimate(&program, Model::Rc11, Reductions::NONE, (64, seed)).expect("enough probes")
    });
    assert_eq!(one, other);
    assert_ne!(one, third);
}
