//! Asking for a verdict.

use std::sync::Arc;

use crate::counterexample::Counterexample;
use crate::determinism;
use crate::engine::{Engine, Search};
use crate::program::Program;
use crate::verdict::{Exploration, Verdict};
use crate::violation::Violation;

/// Explores `program` with `engine`, once its CPUs have been found to be
/// [deterministic](determinism). Who asks for a verdict asks here.
pub fn explore(engine: &dyn Engine, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
    match determinism::check(program) {
        Ok(()) => engine.explore(program, search),
        Err(difference) => Exploration {
            verdict: Verdict::Failed(Box::new(Counterexample::bare(
                Violation::Nondeterminism(difference),
                0,
            ))),
            ..Exploration::unsupported("")
        },
    }
}
