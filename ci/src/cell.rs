//! What one search of a bench came to.

use gupcheck_program::{Exploration, Verdict};
use gupcheck_races::instance::Instance;
use indicatif::HumanCount;
use serde::{Deserialize, Serialize};

use crate::plan::Job;
use crate::usage::Used;

/// One search.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) race: String,
    pub(crate) profile: String,
    pub(crate) engine: String,
    model: String,
    pub(crate) reductions: Vec<String>,
    pub(crate) cpus: u32,
    pub(crate) pages: u32,
    pub(crate) verdict: String,
    /// Whether everything was explored.
    pub(crate) whole: bool,
    executions: Option<u64>,
    pub(crate) states: Option<u64>,
    transitions: Option<u64>,
    outcomes: usize,
    /// CPU seconds, of all threads.
    pub(crate) seconds: f64,
    /// States or executions in one CPU second.
    pub(crate) rate: f64,
    /// What the engine keeps of one state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) bytes_per_state: Option<f64>,
    /// MiB of the whole process at its peak; null where the system does not tell.
    pub(crate) peak_mib: Option<u64>,
}

impl Cell {
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no last digit")]
    pub(crate) fn of(job: &Job, exploration: &Exploration, used: Used) -> Self {
        let Instance {
            race,
            profile,
            size,
            engine,
            model,
            ..
        } = job.instance;
        let states = exploration.states;
        let count = states.map_or(exploration.executions, |states| states.states);
        let seconds = used.cpu.as_secs_f64();
        Self {
            race: race.name.to_owned(),
            profile: profile.name.to_owned(),
            engine: engine.name().to_owned(),
            model: model.name().to_owned(),
            reductions: (job.tuning.reductions.names().map(str::to_owned)).collect(),
            cpus: size.cpus,
            pages: size.pages,
            verdict: exploration.verdict.name().to_owned(),
            whole: matches!(exploration.verdict, Verdict::Complete),
            executions: states.is_none().then_some(exploration.executions),
            states: states.map(|states| states.states),
            transitions: states.map(|states| states.transitions),
            outcomes: exploration.outcomes.len(),
            seconds,
            rate: count as f64 / seconds.max(1e-6),
            bytes_per_state: states.map(|s| s.bytes as f64 / s.states.max(1) as f64),
            peak_mib: used.bytes.map(|bytes| bytes >> 20),
        }
    }

    /// Executions or states.
    pub(crate) fn count(&self) -> u64 {
        self.states.or(self.executions).unwrap_or(0)
    }

    pub(crate) fn told(&self) -> String {
        let (count, seconds) = (HumanCount(self.count()), self.seconds);
        match &self.verdict[..] {
            "complete" => format!("{count} in {seconds:.1} s"),
            "truncated" => format!("over {count} in {seconds:.1} s"),
            "failed" => format!("FAILED after {count}"),
            verdict => verdict.to_owned(),
        }
    }
}
