//! What is known of a cell: a line of JSON, in the output, in a shard's file and in the cache alike.

use gupcheck_core::step::Step;
use gupcheck_program::{Cut, Exploration, Program, Verdict, Violation};
use gupcheck_races::instance::Instance;
use gupcheck_trace::headline_of;
use indicatif::HumanCount;
use serde::{Deserialize, Serialize};

use super::claim::declared;
use crate::line;
use crate::plan::{self, Job};
use crate::record::kind;

/// What came of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    /// Everything was explored, and holds.
    Complete,
    /// An execution breaks a rule.
    Failed,
    /// No violation in as many executions as the race's tests see, and there are more: nobody expects to see them all.
    InPart,
    /// No violation, and the search was cut short.
    Truncated,
    /// The engine cannot run it.
    Unsupported,
    /// Not searched: nothing in it can differ from the control. The figures are the control's.
    Same,
    /// Not searched: what came of it would say nothing, as its control does not hold.
    NotRun,
}

/// What is known of a cell. The fields are described in `docs/json.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// `None`: the control.
    pub(crate) step: Option<String>,
    pub(crate) race: String,
    pub(crate) catalogue: String,
    pub(crate) profile: String,
    pub(crate) model: String,
    pub(crate) engine: String,
    pub(crate) size: String,
    /// Steps missing everywhere.
    pub(crate) knocked_out: Vec<String>,
    /// Who runs in the background.
    pub(crate) noise: Vec<String>,
    pub(crate) reductions: Vec<String>,
    /// Whether the race declares that it fails; `None` where it says nothing.
    pub(crate) declared: Option<bool>,
    pub(crate) verdict: Word,
    /// Why it was not searched, could not be, or was cut short.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) because: Option<String>,
    pub(crate) executions: Option<u64>,
    pub(crate) states: Option<u64>,
    pub(crate) seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) violation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) headline: Option<String>,
    /// How long the counterexample is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) operations: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) token: Option<String>,
    /// Of a control: the steps that its code asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) consulted: Option<Vec<String>>,
    /// What the search was allowed.
    pub(crate) max_executions: Option<u64>,
    pub(crate) max_seconds: Option<f64>,
    pub(crate) max_memory: Option<u64>,
    /// Which build of the command has searched.
    pub(crate) build: String,
}

impl Record {
    /// A cell of which nothing is known yet.
    pub(crate) fn blank(job: &Job, step: Option<Step>, build: &str) -> Self {
        let instance = &job.instance;
        let others = instance
            .knocked_out
            .iter()
            .filter(|&gone| Some(gone) != step);
        Self {
            step: step.map(|step| step.name().to_owned()),
            race: instance.race.name.to_owned(),
            catalogue: instance.race.catalogue.to_owned(),
            profile: instance.profile.name.to_owned(),
            model: instance.model.name().to_owned(),
            engine: instance.engine.name().to_owned(),
            size: format!("{}x{}", instance.size.cpus, instance.size.pages),
            knocked_out: others.map(|step| step.name().to_owned()).collect(),
            noise: instance.noise.names().map(str::to_owned).collect(),
            reductions: job.tuning.reductions.names().map(str::to_owned).collect(),
            declared: step.and_then(|step| declared(job, step)),
            verdict: Word::NotRun,
            because: None,
            executions: None,
            states: None,
            seconds: 0.0,
            violation: None,
            headline: None,
            operations: None,
            token: None,
            consulted: None,
            max_executions: job.limits.executions,
            max_seconds: job.limits.time.map(|time| time.as_secs_f64()),
            max_memory: job.limits.memory,
            build: build.to_owned(),
        }
    }

    /// What a search has come to, and what it found that says more than the first violation
    /// ([`gupcheck_races::sharper`]).
    pub(crate) fn searched(
        mut self,
        job: &Job,
        program: &Program,
        found: &Exploration,
        sharper: Option<&Exploration>,
    ) -> Self {
        let states = found.states.map(|states| states.states);
        self.executions = states.is_none().then_some(found.executions);
        self.states = states;
        self.seconds = found.elapsed.as_secs_f64();
        (self.verdict, self.because) = match &found.verdict {
            Verdict::Complete => (Word::Complete, None),
            Verdict::Failed(_) => (Word::Failed, None),
            Verdict::Truncated(cut) => (word_of(cut, job), Some(cut.name().to_owned())),
            Verdict::Unsupported(why) => (Word::Unsupported, Some(why.clone())),
        };
        let told = sharper.unwrap_or(found);
        if let Verdict::Failed(broken) = &told.verdict {
            let finding = line::finding(job, program, told);
            self.violation = Some(kind(&broken.violation).to_owned());
            self.headline = finding.as_ref().map(headline_of);
            self.token = finding.and_then(|finding| finding.subject.token);
            self.operations = Some(broken.trace.len());
            if is_no_race(&broken.violation) {
                self.because = Some(broken.violation.rule(program));
            }
        }
        self
    }

    /// Nothing in it can differ from the control.
    pub(crate) fn same_as(self, control: &Self, because: &str) -> Self {
        Self {
            verdict: Word::Same,
            because: Some(because.to_owned()),
            executions: control.executions,
            states: control.states,
            ..self
        }
    }

    /// It would say nothing.
    pub(crate) fn not_run(self, because: &str) -> Self {
        Self {
            verdict: Word::NotRun,
            because: Some(because.to_owned()),
            ..self
        }
    }

    /// Which cell it is.
    pub(crate) fn key(&self) -> String {
        let step = self.step.as_deref().unwrap_or_default();
        let (gone, reduced) = (self.knocked_out.join(","), self.reductions.join(","));
        let noise = self.noise.join(",");
        let (race, profile, model) = (&self.race, &self.profile, &self.model);
        let (engine, size) = (&self.engine, &self.size);
        format!("{race}|{profile}|{model}|{engine}|{size}|{gone}|{noise}|{reduced}|{step}")
    }

    /// Its race, profile and so on, in words.
    pub(crate) fn name(&self) -> String {
        let mut name = format!("{} {} {}", self.race, self.profile, self.model);
        if let Some(step) = &self.step {
            name.push_str(" without ");
            name.push_str(step);
        }
        name
    }

    /// Whether the race is back.
    pub(crate) fn fails(&self) -> bool {
        self.verdict == Word::Failed && !self.is_no_race()
    }

    /// Whether it fails, but not by breaking a rule of the protocol: what should happen sometimes never does, code panics, or
    /// does not do the same each time.
    pub(crate) fn is_no_race(&self) -> bool {
        let violation = self.violation.as_deref();
        violation.is_some_and(|violation| NO_RACE.contains(&violation))
    }

    /// Whether nobody knows what more would come to.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(
            self.verdict,
            Word::InPart | Word::Truncated | Word::Unsupported | Word::NotRun
        )
    }

    /// Executions or states, in words.
    pub(crate) fn extent(&self) -> String {
        let (count, noun) = match (self.states, self.executions) {
            (Some(states), _) => (states, "state"),
            (None, Some(executions)) => (executions, "execution"),
            (None, None) => return "nothing".to_owned(),
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {noun}{plural}", HumanCount(count))
    }
}

/// What a search is called that was cut short there.
fn word_of(cut: &Cut, job: &Job) -> Word {
    let Instance {
        engine, race, size, ..
    } = job.instance;
    match (cut, plan::in_part(engine, race, size)) {
        (&Cut::Executions(seen), Some(part)) if seen >= part => Word::InPart,
        _ => Word::Truncated,
    }
}

const NO_RACE: [&str; 3] = ["vacuous", "panic", "nondeterminism"];

const fn is_no_race(violation: &Violation) -> bool {
    matches!(
        violation,
        Violation::Vacuous { .. } | Violation::Panic { .. } | Violation::Nondeterminism(_)
    )
}
