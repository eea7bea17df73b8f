//! A violation that says more than the first one ([`gupcheck_races::sharper`]), looked for as everything is: with a line that says how
//! far the search is, and stopped by Ctrl-C.

use gupcheck_program::{Exploration, Limits, Program, Stop};
use gupcheck_races::sharper::{self, sharper};
use std::sync::Arc;
use std::time::Duration;

use crate::plan::Job;
use crate::search::{Stuck, search};

/// As a test's, and no longer than anybody waits for what he did not ask for.
const LIMITS: Limits = Limits {
    time: Some(Duration::from_secs(5)),
    ..sharper::LIMITS
};

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
    let job = Job {
        limits: LIMITS,
        ..*job
    };
    let explored = |program: &Arc<Program>| search(&job, program, stop, stuck);
    let exploration = sharper(&job.instance, program, exploration, explored)?;
    Some(Sharper { job, exploration })
}
