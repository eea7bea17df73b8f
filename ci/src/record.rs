//! What is said to programs: one JSON object a line. The fields are described in `docs/json.md`, and
//! a field that stands there keeps its name and its meaning.

use gupcheck_core::arch::{Memory, Profile};
use gupcheck_core::step::{Standing, Step};
use gupcheck_program::{
    Counterexample, Cut, Engine, Exploration, Extent, Model, Program, Shrinking, Verdict, Violation,
};
use gupcheck_races::engines::about;
use gupcheck_races::race::{Race, Tested};
use gupcheck_replay::{Again, Named};
use gupcheck_trace::{Finding, headline_of, ordering_of};
use serde::Serialize;

use crate::line;
use crate::plan::Job;

/// A race's verdict under a profile.
#[derive(Serialize)]
pub(crate) struct RunRecord {
    race: &'static str,
    catalogue: &'static str,
    engine: &'static str,
    model: &'static str,
    profile: &'static str,
    cpus: u32,
    pages: u32,
    knocked_out: Vec<&'static str>,
    noise: Vec<&'static str>,
    verdict: &'static str,
    /// Null where states are counted.
    executions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transitions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    outcomes: usize,
    seconds: f64,
    blocked: Option<u64>,
    reductions: Vec<&'static str>,
    jobs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateRecord>,
    cut: Option<CutRecord>,
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_ordering: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimised: Option<ShrinkingRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<Vec<OutcomeRecord>>,
}

/// How many executions there are: at least and at most.
#[derive(Serialize)]
struct EstimateRecord {
    low: f64,
    high: Option<f64>,
}

/// What cut a search short.
#[derive(Serialize)]
struct CutRecord {
    by: &'static str,
    at: Option<f64>,
}

/// From what to what a counterexample was made smaller.
#[derive(Serialize)]
pub(crate) struct ShrinkingRecord {
    from: ExtentRecord,
    to: ExtentRecord,
    tries: u64,
}

#[derive(Serialize)]
struct ExtentRecord {
    switches: usize,
    steps: usize,
    stale: usize,
}

impl ShrinkingRecord {
    /// `None` if nothing is broken, or nobody tried.
    pub(crate) fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Failed(counterexample) => Self::of_counterexample(counterexample),
            _ => None,
        }
    }

    fn of_counterexample(counterexample: &Counterexample) -> Option<Self> {
        let Shrinking { from, to, tries } = counterexample.shrinking?;
        let extent = |extent: Extent| ExtentRecord {
            switches: extent.switches,
            steps: extent.steps,
            stale: extent.stale,
        };
        Some(Self {
            from: extent(from),
            to: extent(to),
            tries,
        })
    }
}

/// An outcome, and how often it was seen.
#[derive(Serialize)]
struct OutcomeRecord {
    outcome: String,
    /// Null where states are counted.
    times: Option<u64>,
}

impl RunRecord {
    pub(crate) fn of(
        job: &Job,
        program: &Program,
        exploration: &Exploration,
        finding: Option<&Finding<'_>>,
        histogram: bool,
    ) -> Self {
        let shown = finding.map_or(&exploration.remarks[..], |finding| finding.aside.remarks);
        let mut remarks = shown.to_vec();
        remarks.extend(job.caveats());
        let outcomes = || {
            line::sorted(&exploration.outcomes)
                .into_iter()
                .map(|(outcome, times)| OutcomeRecord {
                    outcome: outcome.shown(program).to_string(),
                    times: exploration.states.is_none().then_some(times),
                })
                .collect()
        };
        let counts = exploration.states.is_none();
        let (cut, unsupported, found) = match &exploration.verdict {
            Verdict::Complete => (None, None, None),
            Verdict::Truncated(cut) => (Some(CutRecord::of(cut)), None, None),
            Verdict::Unsupported(why) => (None, Some(why.clone()), None),
            Verdict::Failed(counterexample) => (None, None, Some(&**counterexample)),
        };
        let told = finding.map(|finding| finding.counterexample).or(found);
        Self {
            race: job.instance.race.name,
            catalogue: job.instance.race.catalogue,
            engine: job.instance.engine.name(),
            model: job.instance.model.name(),
            profile: job.instance.profile.name,
            cpus: job.instance.size.cpus,
            pages: job.instance.size.pages,
            knocked_out: job.instance.knocked_out.iter().map(Step::name).collect(),
            noise: job.instance.noise.names().collect(),
            verdict: exploration.verdict.name(),
            executions: counts.then_some(exploration.executions),
            states: exploration.states.map(|states| states.states),
            transitions: exploration.states.map(|states| states.transitions),
            bytes: exploration.states.map(|states| states.bytes),
            outcomes: exploration.outcomes.len(),
            seconds: exploration.elapsed.as_secs_f64(),
            blocked: counts.then_some(exploration.blocked),
            reductions: job.tuning.reductions.names().collect(),
            jobs: job.tuning.jobs.get(),
            estimate: exploration.estimate.map(|estimate| EstimateRecord {
                low: estimate.low,
                high: estimate.high,
            }),
            cut,
            remarks,
            unsupported,
            violation: told.map(|told| kind(&told.violation)),
            headline: finding.map(headline_of),
            missing_ordering: finding.map(ordering_of).unwrap_or_default(),
            token: finding.and_then(|f| f.subject.token.clone()),
            minimised: finding.and_then(|f| ShrinkingRecord::of_counterexample(f.counterexample)),
            histogram: histogram.then(outcomes),
        }
    }
}

impl CutRecord {
    fn of(cut: &Cut) -> Self {
        Self {
            by: cut.name(),
            #[allow(clippy::cast_precision_loss, reason = "JSON numbers are doubles")]
            at: match cut {
                Cut::Executions(n) | Cut::States(n) | Cut::Memory(n) => Some(*n as f64),
                Cut::Time(time) => Some(time.as_secs_f64()),
                Cut::Outcomes(bound) | Cut::PreemptionBound(bound) => Some(*bound as f64),
                Cut::Interrupted | Cut::Sampling => None,
            },
        }
    }
}

/// A token's execution, run again.
#[derive(Serialize)]
pub(crate) struct ReplayRecord<'a> {
    race: &'a str,
    profile: &'a str,
    engine: &'a str,
    model: &'static str,
    cpus: u32,
    pages: u32,
    knocked_out: &'a [String],
    noise: &'a [String],
    verdict: &'static str,
    exact: bool,
    same_rule: bool,
    followed: usize,
    choices: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    misfit: Option<MisfitRecord>,
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_ordering: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// The first step that is not what it was.
#[derive(Serialize)]
struct MisfitRecord {
    step: usize,
    cpu: String,
    was: String,
    now: Option<String>,
}

impl<'a> ReplayRecord<'a> {
    pub(crate) fn of(
        named: &'a Named,
        model: Model,
        again: &Again,
        finding: Option<&Finding<'_>>,
    ) -> Self {
        let misfit = again.replayed.misfit.as_ref();
        Self {
            race: &named.race,
            profile: &named.profile,
            engine: &named.engine,
            model: model.name(),
            cpus: named.cpus,
            pages: named.pages,
            knocked_out: &named.knocked_out,
            noise: &named.noise,
            verdict: if finding.is_some() {
                "failed"
            } else {
                "truncated"
            },
            exact: again.is_exact(),
            same_rule: again.is_same_rule(),
            followed: again.replayed.followed,
            choices: again.replayed.choices,
            misfit: misfit.map(|misfit| MisfitRecord {
                step: misfit.step,
                cpu: misfit.cpu.clone(),
                was: misfit.was.clone(),
                now: misfit.now.clone(),
            }),
            remarks: again.words(),
            violation: finding.map(|f| kind(&f.counterexample.violation)),
            headline: finding.map(headline_of),
            missing_ordering: finding.map(ordering_of).unwrap_or_default(),
            token: finding.and_then(|f| f.subject.token.clone()),
        }
    }
}

/// What a violation is, as JSON has it.
pub(crate) const fn kind(violation: &Violation) -> &'static str {
    match violation {
        Violation::Property { .. } => "property",
        Violation::Fault(_) => "fault",
        Violation::DataRace { .. } => "data-race",
        Violation::Deadlock { .. } => "deadlock",
        Violation::Panic { .. } => "panic",
        Violation::Nondeterminism(_) => "nondeterminism",
        Violation::Vacuous { .. } => "vacuous",
    }
}

/// A race, as `list --json` has it.
#[derive(Serialize)]
pub(crate) struct RaceRecord {
    race: &'static str,
    catalogue: &'static str,
    about: &'static str,
    profiles: Vec<&'static str>,
    before: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fails: Vec<&'static str>,
    needs: Vec<NeedRecord>,
    controls: Vec<&'static str>,
    tested: Vec<TestedRecord>,
}

/// An instance that a race's tests try.
#[derive(Serialize)]
struct TestedRecord {
    cpus: u32,
    pages: u32,
    executions: u64,
    whole: bool,
    longer: bool,
}

impl TestedRecord {
    const fn of(tested: &Tested) -> Self {
        Self {
            cpus: tested.size.cpus,
            pages: tested.size.pages,
            executions: tested.executions,
            whole: tested.whole,
            longer: tested.longer,
        }
    }
}

/// A step that a race rests on.
#[derive(Serialize)]
struct NeedRecord {
    step: &'static str,
    profiles: Vec<&'static str>,
}

impl RaceRecord {
    pub(crate) fn of(race: &'static Race) -> Self {
        let names = |profiles: &[&'static Profile]| profiles.iter().map(|p| p.name).collect();
        let steps = |steps: &[Step]| steps.iter().map(|step| step.name()).collect();
        Self {
            race: race.name,
            catalogue: race.catalogue,
            about: race.about,
            profiles: names(race.profiles),
            before: steps(race.before),
            fails: names(race.fails),
            needs: (race.needs.iter())
                .map(|need| NeedRecord {
                    step: need.step.name(),
                    profiles: names(need.profiles),
                })
                .collect(),
            controls: steps(race.indifferent),
            tested: race.tested.iter().map(TestedRecord::of).collect(),
        }
    }
}

/// A step, as `list --steps --json` has it.
#[derive(Serialize)]
pub(crate) struct StepRecord {
    step: &'static str,
    id: &'static str,
    does: &'static str,
    pairs_with: &'static str,
    source: &'static str,
    control: bool,
    standing: &'static str,
    why: Option<&'static str>,
    carried_by: Vec<&'static str>,
    needed_under: Vec<&'static str>,
}

/// The races that fail without `step`.
pub(crate) fn carried_by(step: Step, races: &[&'static Race]) -> Vec<&'static str> {
    let needs = |race: &&&Race| {
        let mut needs = race.needs.iter();
        needs.any(|need| need.step == step && !need.profiles.is_empty())
    };
    races.iter().filter(needs).map(|race| race.name).collect()
}

/// The profiles under which some race fails without `step`, in their order.
pub(crate) fn needed_under(step: Step, races: &[&'static Race]) -> Vec<&'static str> {
    let needs = |profile: &&'static Profile| races.iter().any(|race| race.needs(step, profile));
    let profiles = Profile::ALL.into_iter().filter(needs);
    profiles.map(|profile| profile.name).collect()
}

/// What can be said of a step's weight, given the races that there are: one that a race rests on is carried, whatever
/// [`Step::standing`] said before there was that race.
pub(crate) fn standing(step: Step, races: &[&'static Race]) -> Standing {
    if carried_by(step, races).is_empty() {
        step.standing()
    } else {
        Standing::Carried
    }
}

impl StepRecord {
    pub(crate) fn of(step: Step, races: &[&'static Race]) -> Self {
        let standing = standing(step, races);
        Self {
            step: step.name(),
            id: step.id(),
            does: step.does(),
            pairs_with: step.pairs_with(),
            source: step.source(),
            control: step.is_control(),
            standing: standing.name(),
            // Of one that is carried: what was said of it before, which nobody should say any more.
            why: step.standing().why(),
            carried_by: carried_by(step, races),
            needed_under: needed_under(step, races),
        }
    }
}

/// A profile, as `list --profiles --json` has it.
#[derive(Serialize)]
pub(crate) struct ProfileRecord {
    profile: &'static str,
    about: &'static str,
    memory: &'static str,
}

impl ProfileRecord {
    pub(crate) const fn of(profile: &Profile) -> Self {
        Self {
            profile: profile.name,
            about: profile.about,
            memory: match profile.memory {
                Memory::Tso => "tso",
                Memory::Weak => "weak",
                Memory::Kernel => "lkmm",
            },
        }
    }
}

/// An engine, as `list --engines --json` has it.
#[derive(Serialize)]
pub(crate) struct EngineRecord {
    engine: &'static str,
    models: Vec<&'static str>,
    about: &'static str,
}

impl EngineRecord {
    pub(crate) fn of(engine: &dyn Engine) -> Self {
        Self {
            engine: engine.name(),
            models: engine.models().iter().map(|model| model.name()).collect(),
            about: about(engine),
        }
    }
}
