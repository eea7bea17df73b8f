//! What `thp-collapse/lazy-cpu` rests on, and what the second IPI makes of it.

use std::sync::Arc;

use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::step::{Kernel, Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;

fn verdict(without: &[Step]) -> Verdict {
    let race = gupcheck_thp_collapse::RACES
        .iter()
        .find(|race| race.name == "thp-collapse/lazy-cpu")
        .expect("the race");
    let kernel = Kernel::new(&X86_NATIVE).without(Steps::of(without));
    let program = Arc::new(race.program_of(Size::SMALLEST, kernel));
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, &X86_NATIVE));
    engine.explore(&program, &search).verdict
}

/// A lazy CPU need not be interrupted by the flush if its barrier is there, or if all are interrupted once more; one of the two
/// it takes (R20).
#[test]
fn a_barrier_or_a_second_ipi_covers_the_cpu_that_the_flush_passes_over() {
    let (barrier, ipi) = (Step::LazyLeaveBarrier, Step::CollapseSyncIpi);
    for without in [&[][..], &[barrier], &[ipi]] {
        let holds = verdict(without);
        assert!(matches!(holds, Verdict::Complete), "{without:?}: {holds:?}");
    }
    let fails = verdict(&[barrier, ipi]);
    assert!(matches!(fails, Verdict::Failed(_)), "{fails:?}");
}
