//! Finding F3 of docs/findings.md, of a tail: one caller that pins a page of a partly mapped folio may meet a check of debug kernels
//! that does not see yet that the page is exclusive again. Under sequential consistency it always does.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, WEAK};
use gupcheck_core::step::Kernel;
use gupcheck_core::sync::Fault;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;
use gupcheck_thp_split::pins_a_tail;

#[test]
fn the_look_at_the_exclusive_bit_comes_too_early() {
    for profile in [&ARM64, &WEAK] {
        let program = Arc::new(pins_a_tail(Size::SMALLEST, Kernel::new(profile)));
        let explore = |model| {
            let search = Search::unlimited(model);
            GraphEngine::ONE_THREAD.explore(&program, &search).verdict
        };
        let Verdict::Failed(found) = explore(Model::Rc11) else {
            panic!("F3 is gone: docs/findings.md, and the callers of thp-split/deferred-scan");
        };
        let Violation::Fault(Fault::Bug { what, .. }) = found.violation else {
            panic!("another violation: {:?}", found.violation);
        };
        assert_eq!(what, "a pinned anonymous page is not exclusive");
        let ordered = explore(Model::Sc);
        assert!(matches!(ordered, Verdict::Complete), "{ordered:?}");
    }
}
