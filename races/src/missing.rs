//! Which ordering was missing in a counterexample of a race, and whether a barrier there helps.
//!
//! The graph engine says what would forbid the execution that is shown ([`gupcheck_graph::remedies`]); then the same race is searched with
//! that barrier in the kernel's code ([`gupcheck_program::proof`]).

use std::sync::Arc;

use gupcheck_program::proof::proved;
use gupcheck_program::{Counterexample, Exploration, Program, Remedies};

use crate::instance::Instance;

/// What would forbid `counterexample`, found in `program`, of this instance. `explored` searches within the
/// [limits](gupcheck_program::proof::LIMITS). `None` where that cannot be said: under SC, and of other engines.
pub fn missing(
    instance: &Instance<'_>,
    program: &Arc<Program>,
    counterexample: &Counterexample,
    explored: impl FnMut(&Arc<Program>) -> Exploration,
) -> Option<Remedies> {
    let remedies = gupcheck_graph::remedies(program, instance.model, counterexample)?;
    let again = || instance.program();
    Some(proved(remedies, &counterexample.trace, again, explored))
}
