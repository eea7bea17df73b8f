//! Asking for a verdict.

use std::sync::Arc;

use crate::counterexample::Counterexample;
use crate::determinism;
use crate::engine::{Engine, Search};
use crate::means::unless_refused;
use crate::program::Program;
use crate::verdict::{Exploration, Verdict};
use crate::violation::Violation;

/// Explores `program` with `engine`, once its CPUs have been found to be
/// [deterministic](determinism). Who asks for a verdict asks here. A program with a [flaw](Program::flaw) is none that
/// could be explored, and where the system refuses what it takes there is no verdict either.
pub fn explore(engine: &dyn Engine, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
    if let Some(flaw) = program.flaw() {
        return Exploration::unsupported(flaw);
    }
    let explored = unless_refused(|| match determinism::check(program) {
        Ok(()) => engine.explore(program, search),
        Err(difference) => Exploration {
            verdict: Verdict::Failed(Box::new(Counterexample::bare(
                Violation::Nondeterminism(difference),
                0,
            ))),
            ..Exploration::unsupported("")
        },
    });
    let mut explored = explored.unwrap_or_else(Exploration::unsupported);
    if let Some(remark) = unheard(engine, program) {
        explored.remarks.push(remark);
    }
    explored
}

/// What is said of a property that this engine does not judge.
fn unheard(engine: &dyn Engine, program: &Program) -> Option<String> {
    let property = &program.properties()[program.witness_property()?];
    (!engine.hears_witnesses()).then(|| {
        format!(
            "not judged by this engine, which keeps no history of memory: always {}",
            property.text
        )
    })
}
