//! A violation that says more than the first one ([`gupcheck_races::sharper`]), looked for as everything is: with a line that says how
//! far the search is, and stopped by Ctrl-C.

use std::sync::Arc;

use gupcheck_program::{Exploration, Program, Stop};
use gupcheck_races::sharper::{LIMITS, sharper};

use crate::plan::Job;
use crate::search::{Stuck, search};

/// A violation that says more, and how it was looked for.
pub(crate) struct Sharper {
    pub(crate) job: Job,
    pub(crate) exploration: Exploration,
}

/// Looks for what says more than what `exploration` found.
pub(crate) fn find(
    job: &Job,
    program: &Program,
    exploration: &Exploration,
    stop: &Stop,
    stuck: Stuck<'_>,
) -> Option<Sharper> {
    // No clock: what is told is the same on every machine.
    let job = Job {
        limits: LIMITS,
        ..*job
    };
    let explored = |program: &Arc<Program>| search(&job, program, stop, stuck);
    let exploration = sharper(&job.instance, program, exploration, explored)?;
    Some(Sharper { job, exploration })
}
