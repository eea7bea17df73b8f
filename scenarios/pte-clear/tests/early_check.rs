//! Finding F3 of docs/findings.md: of two callers of the README's example one may meet a check of debug kernels that does not
//! see yet that a page is exclusive. Under sequential consistency it always does.

#[path = "readme/pin_and_reuse.rs"]
mod pin_and_reuse;

use std::sync::Arc;

use gupcheck_core::arch::ARM64;
use gupcheck_core::step::Steps;
use gupcheck_core::sync::Fault;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Limits, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

fn verdict(model: Model) -> Verdict {
    let size = Size { cpus: 2, pages: 1 };
    let program = Arc::new(pin_and_reuse::RACE.program(size, &ARM64, Steps::NONE));
    let limits = Limits {
        executions: Some(20_000),
        ..Limits::default()
    };
    let search = Search {
        limits,
        ..Search::unlimited(model)
    };
    GraphEngine::ONE_THREAD.explore(&program, &search).verdict
}

#[test]
fn the_look_at_the_exclusive_bit_comes_too_early() {
    let Verdict::Failed(found) = verdict(Model::Rc11) else {
        panic!("F3 is gone: docs/findings.md, and the sizes of the README's example");
    };
    let Violation::Fault(Fault::Bug { what, .. }) = found.violation else {
        panic!("another violation: {:?}", found.violation);
    };
    assert_eq!(what, "a pinned anonymous page is not exclusive");
    assert!(!matches!(verdict(Model::Sc), Verdict::Failed(_)));
}
