//! Which ordering was missing ([`gupcheck_races::missing`]), looked for as everything is: with a line that says how far the search is, and
//! stopped by Ctrl-C.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::proof::LIMITS;
use gupcheck_program::{Exploration, Program, Remedies, Stop, Verdict};
use gupcheck_races::instance::Instance;
use gupcheck_races::missing::missing;

use crate::plan::Job;
use crate::search::{Stuck, search};

/// What would forbid what `exploration` found.
pub(crate) fn find(
    job: &Job,
    program: &Arc<Program>,
    exploration: &Exploration,
    stop: &Stop,
    stuck: Stuck<'_>,
) -> Option<Remedies> {
    let Verdict::Failed(found) = &exploration.verdict else {
        return None;
    };
    // Whoever found it, executions are what is counted here.
    let job = Job {
        instance: Instance {
            engine: &GraphEngine::ONE_THREAD,
            ..job.instance
        },
        limits: LIMITS,
        ..*job
    };
    let explored = |program: &Arc<Program>| search(&job, program, stop, stuck);
    missing(&job.instance, program, found, explored)
}
