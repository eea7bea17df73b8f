//! The search of one job: its engine as it is tuned, and a line that says how far it has come.

use std::sync::Arc;

use gupcheck_program::{Exploration, Program, Search, Stop, explore};

use crate::plan::Job;
use crate::progress::Spinner;

/// Explores a job's program.
pub(crate) fn search(job: &Job, program: &Arc<Program>, stop: &Stop) -> Exploration {
    let spinner = Spinner::of(job);
    let search = Search {
        model: job.instance.model,
        limits: job.limits,
        stop: stop.clone(),
        watch: &spinner,
    };
    let exploration = match job.instance.engine.tuned(job.tuning) {
        Some(engine) => explore(&*engine, program, &search),
        None => explore(job.instance.engine, program, &search),
    };
    spinner.clear();
    exploration
}
