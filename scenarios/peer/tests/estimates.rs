//! Estimates of how many executions there are, against how many there are.

use std::sync::Arc;

use gupcheck_graph::estimate;
use gupcheck_peer::{m1, m2, m3};
use gupcheck_program::{Model, Program, Reductions};

/// Many, for some of the trees are lopsided: a few probes in a thousand count for most of the mean.
const PROBES: u32 = 1 << 13;

/// The range holds, and is no wider than by a factor of ten. Random numbers are always the same, so this either
/// holds or does not.
fn holds(program: Program, model: Model, reductions: Reductions, executions: f64) {
    let estimate = estimate(&Arc::new(program), model, reductions, (PROBES, 1)).expect("known");
    let high = estimate.high.expect("enough probes");
    let what = format!("{estimate}, and there are {executions} under {model}");
    assert!(estimate.low <= executions && executions <= high, "{what}");
    assert!(high <= 10.0 * estimate.low, "{what}");
}

#[test]
fn estimates_are_near_the_counts() {
    let reduced = Reductions {
        symmetry: true,
        retries: true,
        ..Reductions::NONE
    };
    let m1 = || m1::program(2, 1, m1::Variant::Correct);
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        holds(m1(), model, Reductions::NONE, 215.0);
        holds(m1(), model, reduced, 49.0);
        let m3 = m3::program(2, 1, m3::Variant::Ipi);
        holds(m3, model, Reductions::NONE, 49.0);
    }
    let m2 = m2::program(2, 1, m2::Variant::default());
    holds(m2, Model::Rc11, Reductions::NONE, 311.0);
}

#[test]
fn the_same_seed_gives_the_same_estimate() {
    let [one, other, third] = [7, 7, 8].map(|seed| {
        let program = Arc::new(m1::program(2, 1, m1::Variant::Correct));
        estimate(&program, Model::Rc11, Reductions::NONE, (512, seed)).expect("known")
    });
    assert!(one.high.is_some(), "{one}");
    assert_eq!(one, other);
    assert_ne!(one, third);
}

#[test]
fn few_probes_say_nothing() {
    let program = Arc::new(m1::program(2, 1, m1::Variant::Correct));
    let few = estimate(&program, Model::Rc11, Reductions::NONE, (255, 1)).expect("known");
    assert_eq!((few.low, few.high), (0.0, None));
    assert_eq!(few.beyond(7).to_string(), "more than 7");
}
