//! An entry that changes and is the same again between two looks: where no flush waits for the walker, and there alone.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, X86_NATIVE, X86_PV};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict, Violation};
use gupcheck_pte_clear::the_same_again;
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;

/// The walker takes such a page, and the books are right (R55).
#[test]
fn the_same_page_may_be_there_again_where_no_flush_waits_for_the_walker() {
    for (profile, happens) in [(&X86_PV, true), (&ARM64, true), (&X86_NATIVE, false)] {
        let program = Arc::new(the_same_again(Size::SMALLEST, Kernel::new(profile)));
        let engine = GraphEngine::ONE_THREAD;
        let search = Search::unlimited(model_for(&engine, profile));
        match engine.explore(&program, &search).verdict {
            Verdict::Complete => assert!(happens, "{profile}"),
            Verdict::Failed(found) => {
                assert!(!happens, "{profile}");
                assert!(matches!(found.violation, Violation::Vacuous { .. }));
            }
            other => panic!("{profile}: {}", other.name()),
        }
    }
}
