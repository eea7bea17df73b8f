//! The search of one job: its engine as it is tuned, and a line that says how far it has come.

use std::sync::Arc;

use gupcheck_races::engine::{self, Search};
use gupcheck_races::program::Program;
use gupcheck_races::progress::Stop;
use gupcheck_races::verdict::Exploration;

use crate::plan::Job;
use crate::progress::Spinner;

/// Explores a job's program.
pub(crate) fn search(job: &Job, program: &Arc<Program>, stop: &Stop) -> Exploration {
    let spinner = Spinner::of(job);
    let search = Search {
        model: job.model,
        limits: job.limits,
        stop: stop.clone(),
        watch: &spinner,
    };
    let exploration = match job.engine.tuned(job.tuning) {
        Some(engine) => engine::explore(&*engine, program, &search),
        None => engine::explore(job.engine, program, &search),
    };
    spinner.clear();
    exploration
}
