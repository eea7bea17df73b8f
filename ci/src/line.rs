//! The line that a race gets under a profile, and what follows it.

use gupcheck_core::step::{Step, Steps};
use gupcheck_program::{Exploration, Outcome, Outcomes, Program, Verdict};
use gupcheck_trace::{Aside, Finding, Line, Role};
use indicatif::HumanCount;

use crate::plan::Job;

/// How wide the columns are that names stand in.
#[derive(Clone, Copy)]
pub(crate) struct Columns {
    race: usize,
    catalogue: usize,
    profile: usize,
}

impl Columns {
    /// Wide enough for all of these.
    pub(crate) fn of(jobs: &[Job]) -> Self {
        let widest = |width: fn(&Job) -> usize| jobs.iter().map(width).max().unwrap_or(0);
        Self {
            race: widest(|job| job.instance.race.name.len()),
            catalogue: widest(|job| job.instance.race.catalogue.len()),
            profile: widest(|job| job.instance.profile.name.len()),
        }
    }
}

/// What all jobs of a run have in common.
pub(crate) fn preamble(jobs: &[Job]) -> Option<Line> {
    let job = jobs.first()?;
    let plural = |n: u32, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let each = if job.instance.size.cpus == 1 {
        ""
    } else {
        " each"
    };
    let (callers, pages) = (
        plural(job.instance.size.cpus, "GUP caller"),
        plural(job.instance.size.pages, "page"),
    );
    let mut words = vec![format!("{callers}, {pages}{each}")];
    let knocked_out: Vec<_> = job.instance.knocked_out.iter().map(Step::name).collect();
    if !knocked_out.is_empty() {
        words.push(format!("without {}", knocked_out.join(" and ")));
    }
    if !job.instance.noise.is_empty() {
        let noise: Vec<_> = job.instance.noise.names().collect();
        words.push(format!("with noise {}", noise.join(" and ")));
    }
    let reduced: Vec<_> = job.tuning.reductions.names().collect();
    if !reduced.is_empty() {
        words.push(format!("reduced by {}", reduced.join(" and ")));
    }
    if let Some(time) = job.limits.time {
        words.push(format!("at most {} s a line", time.as_secs_f64()));
    }
    if let Some(executions) = job.limits.executions {
        let executions = HumanCount(executions);
        words.push(format!("at most {executions} executions a line"));
    }
    Some(Line::of(Role::Dim, words.join(", ")))
}

/// The races that a run of all leaves out, because they are broken in the kernel as it is.
pub(crate) fn left_out(races: &[&str]) -> Option<Line> {
    (!races.is_empty()).then(|| {
        let races = races.join(", ");
        Line::of(
            Role::Dim,
            format!("without those that fail as the kernel is, unless asked for by name: {races}"),
        )
    })
}

/// The verdict.
pub(crate) fn verdict(job: &Job, exploration: &Exploration, columns: Columns) -> Line {
    let Columns {
        race,
        catalogue,
        profile,
    } = columns;
    let mut line = Line::of(Role::Plain, format!("{:<race$}  ", job.instance.race.name));
    line.push(
        Role::Dim,
        format!("{:<catalogue$}  ", job.instance.race.catalogue),
    );
    line.push(
        Role::Plain,
        format!("{:<profile$}  ", job.instance.profile.name),
    );
    let (role, word) = match exploration.verdict {
        Verdict::Complete => (Role::Good, "complete"),
        Verdict::Truncated(_) => (Role::Caution, "TRUNCATED"),
        Verdict::Failed(_) => (Role::Alarm, "FAILED"),
        Verdict::Unsupported(_) => (Role::Caution, "UNSUPPORTED"),
    };
    line.push(role, word);
    line.push(Role::Plain, " ".repeat(13 - word.len()));
    if let Verdict::Unsupported(why) = &exploration.verdict {
        line.push(Role::Plain, why.clone());
        return line;
    }
    let model = match job.instance.chosen_model() {
        Some(model) => format!("{} {model}", job.instance.engine.name()),
        None => job.instance.engine.name().to_owned(),
    };
    let (seen, noun) = exploration.extent();
    line.push(
        Role::Plain,
        format!(
            "{model}  {}  {}  {:>7.2} s",
            counted(9, seen, noun),
            counted(4, exploration.outcomes.len() as u64, "outcome"),
            exploration.elapsed.as_secs_f64(),
        ),
    );
    if exploration.blocked > 0 {
        let blocked = format!("  {} blocked", HumanCount(exploration.blocked));
        line.push(Role::Dim, blocked);
    }
    if let (Verdict::Complete, Some(states)) = (&exploration.verdict, exploration.states) {
        let collision = format!("  up to hash collisions (p < {:.0e})", states.collision());
        line.push(Role::Dim, collision);
    }
    if let Verdict::Truncated(cut) = &exploration.verdict {
        line.push(Role::Caution, format!("  {cut}"));
    }
    if let Some(estimate) = exploration.estimate {
        line.push(Role::Dim, format!(", of {estimate}"));
    }
    line
}

/// A number and what it counts, as wide for one as for many.
fn counted(width: usize, count: u64, noun: &str) -> String {
    let plural = if count == 1 { ' ' } else { 's' };
    let count = HumanCount(count).to_string();
    format!("{count:>width$} {noun}{plural}")
}

/// What more there is to say below the verdict: caveats always, the engine's remarks where somebody
/// wants to know.
pub(crate) fn remarks(job: &Job, exploration: &Exploration, detail: bool) -> Vec<Line> {
    let from_engine = exploration.remarks.iter().filter(|_| detail).cloned();
    (as_declared(job, exploration)
        .into_iter()
        .chain(job.caveats())
        .chain(from_engine))
    .map(|remark| Line::of(Role::Dim, format!("    {remark}")))
    .collect()
}

/// How the verdict compares with what the race says of its own kernel, where that is broken.
fn as_declared(job: &Job, exploration: &Exploration) -> Option<String> {
    let instance = &job.instance;
    let is_whole = instance.knocked_out == Steps::NONE && instance.noise.is_empty();
    if !is_whole || !instance.race.is_to_fail(instance.profile) {
        return None;
    }
    match exploration.verdict {
        Verdict::Failed(_) => Some("as the race says of its kernel (`fails`)".to_owned()),
        Verdict::Complete => Some("although the race says that it fails (`fails`)".to_owned()),
        Verdict::Truncated(_) | Verdict::Unsupported(_) => None,
    }
}

/// The outcomes, the most frequent first.
pub(crate) fn sorted(outcomes: &Outcomes) -> Vec<(&Outcome, u64)> {
    let mut sorted: Vec<_> = outcomes.iter().map(|(o, &times)| (o, times)).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    sorted
}

/// A line for each outcome, and how often it came up, where that is counted.
pub(crate) fn histogram(program: &Program, exploration: &Exploration) -> Vec<Line> {
    let counts = exploration.states.is_none();
    sorted(&exploration.outcomes)
        .into_iter()
        .map(|(outcome, times)| {
            let times = counts.then(|| HumanCount(times).to_string());
            let times = times.unwrap_or_default();
            Line::of(
                Role::Plain,
                format!("    {times:>9}  {}", outcome.shown(program)),
            )
        })
        .collect()
}

/// What the trace module needs to know of a violation.
pub(crate) fn finding<'a>(
    job: &'a Job,
    program: &'a Program,
    exploration: &'a Exploration,
) -> Option<Finding<'a>> {
    let Verdict::Failed(counterexample) = &exploration.verdict else {
        return None;
    };
    let aside = Aside {
        searched: Some(exploration.searched(job.limits)),
        remarks: &exploration.remarks,
        ..Aside::default()
    };
    Some(job.instance.finding(program, counterexample, aside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_takes_as_much_room_as_many() {
        assert_eq!(counted(6, 1, "outcome"), "     1 outcome ");
        assert_eq!(counted(6, 1234, "outcome"), " 1,234 outcomes");
    }
}
