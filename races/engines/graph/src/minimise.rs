//! A counterexample told by the smallest schedule that could be found.
//!
//! The search comes to a violation in whatever order it goes; a person wants to see as few changes of CPU as
//! the violation takes. So its schedule is shrunk ([`shrink`]): changed a little, followed as far as the
//! model allows, and kept if it breaks the same rule and is smaller.

use std::sync::Arc;

use super::build::Builder;
use super::model::Axioms;
use super::replay::foreseen;
use gupcheck_program::{Counterexample, Program, Schedule, TRIES, shrink};

/// A smaller execution that breaks the same rule as `found`; or `found` itself.
pub(super) fn minimised<A: Axioms>(
    program: &Arc<Program>,
    found: Box<Counterexample>,
) -> Box<Counterexample> {
    let Some(Schedule::Graph(choices)) = &found.schedule else {
        return found;
    };
    let Ok(waits) = foreseen::<A>(program, choices) else {
        return found;
    };
    let rule = found.violation.rule(program);
    let mut builder = Builder::<A>::new(program, &waits);
    let small = shrink(choices, TRIES, |tried| {
        builder.restart();
        let (violation, _) = builder.follow(tried)?;
        (violation.rule(program) == rule).then(|| builder.choices())
    });
    builder.restart();
    match builder.follow(&small.schedule) {
        Some(broken) if broken.0.rule(program) == rule => {
            let mut told = builder.tell(broken, found.execution);
            told.shrinking = Some(small.shrinking);
            Box::new(told)
        }
        _ => found,
    }
}
