//! The search of one cell.

use std::sync::Arc;

use gupcheck_core::step::Step;
use gupcheck_program::{Exploration, Stop, Unwatched};
use gupcheck_races::consulted::Consulted;
use gupcheck_races::sharper::{LIMITS, sharper};

use super::cache::Cache;
use super::question::{Place, Question};
use super::record::Record;
use crate::exit::Exit;
use crate::output;
use crate::plan::Job;
use crate::search::watched;

/// What is the same for all searches.
#[derive(Clone, Copy)]
pub(crate) struct Means<'m> {
    pub(crate) question: &'m Question,
    pub(crate) build: &'m str,
    pub(crate) cache: &'m Cache,
    pub(crate) stop: &'m Stop,
}

/// What came of a cell: looked up, or searched.
pub(crate) fn search(means: Means<'_>, place: Place) -> Record {
    let (job, step) = (means.question.job(place), means.question.step(place));
    let blank = Record::blank(&job, step, means.build);
    if let Some(known) = means.cache.get(&blank) {
        return known;
    }
    let consulted = step.is_none().then(Consulted::leaked);
    let program = Arc::new(match consulted {
        Some(consulted) => job.instance.program_telling(consulted),
        None => job.instance.program(),
    });
    let name = blank.name();
    let stuck = |given_up: &Exploration| {
        let why = given_up.remarks.join("; ");
        output::remark(&format!(
            "{name}: {why}; the matrix ends here, what is in the cache is kept"
        ));
        std::process::exit(Exit::Truncated.code().into());
    };
    let explored =
        |job: &Job, program: &Arc<_>| watched(job, program, means.stop, &stuck, &Unwatched);
    let found = explored(&job, &program);
    let sharp = sharper(&job.instance, &program, &found, |program| {
        let limits = LIMITS;
        explored(&Job { limits, ..job }, program)
    });
    let mut record = blank.searched(&job, &program, &found, sharp.as_ref());
    record.consulted = consulted.map(|consulted| {
        let steps = consulted.steps();
        steps
            .iter()
            .map(|step| Step::name(step).to_owned())
            .collect()
    });
    means.cache.put(&record);
    record
}
