//! `gupcheck run`: explores races, and says what came of each as soon as it is known.

use std::sync::Arc;

use gupcheck_program::{Exploration, Program, Stop, Verdict};
use gupcheck_races::race::Race;
use gupcheck_trace::{Finding, Line, Page, Role, report};

use crate::args::RunArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::line::{self, Columns};
use crate::missing;
use crate::output::{self, Output};
use crate::plan::{self, Job};
use crate::record::RunRecord;
use crate::replay;
use crate::search::search;
use crate::sharper;
use crate::smaller::{self, Smaller};
use crate::summary::Summary;

/// Runs what `args` asks for.
pub(crate) fn run(
    args: &RunArgs,
    races: &[&'static Race],
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    let jobs = plan::plan(args, races)?;
    let left_out = races.iter().filter(|race| plan::is_left_out(args, race));
    let left_out: Vec<_> = left_out.map(|race| race.name).collect();
    if args.keep {
        replay::place_to_keep()?;
    }
    if let (false, Some(line)) = (args.json, line::preamble(&jobs)) {
        output.line(&line)?;
        if let Some(line) = line::left_out(&left_out) {
            output.line(&line)?;
        }
    }
    run_all(args, &jobs, stop, output)
}

/// Runs jobs one after the other.
fn run_all(args: &RunArgs, jobs: &[Job], stop: &Stop, output: &mut Output) -> Result<Exit, Error> {
    let columns = Columns::of(jobs);
    let mut summary = Summary::new();
    let (mut gap, screen) = (true, output.screen());
    for (nth, job) in jobs.iter().enumerate() {
        if stop.is_requested() || output.nobody_reads() {
            summary.leave_out(jobs.len() - nth);
            break;
        }
        let program = Arc::new(job.instance.program());
        let so_far = summary.clone();
        let stuck = |given_up: &Exploration| {
            let mut output = Output::new(Box::new(anstream::stdout()), screen);
            let mut summary = so_far.clone();
            summary.add(given_up);
            summary.leave_out(jobs.len() - nth - 1);
            let told = tell_one(args, job, &program, given_up, columns, &mut output)
                .and_then(|()| end(args, &summary, true, &mut output));
            last_words(told, summary.exit())
        };
        let mut exploration = search(job, &program, stop, &stuck);
        let found = |_: &Exploration| stuck(&exploration);
        let smaller = smaller::find(job, &program, &exploration, stop, &found);
        let hint = smaller::hint(job, &exploration, stop, &found);
        let (small, its_program, first) = smallest(job, &program, &exploration, smaller.as_ref());
        let sharper = sharper::find(small, its_program, first, stop, &found);
        exploration.remarks.extend(hint.clone());
        summary.add(&exploration);
        gap = !matches!(exploration.verdict, Verdict::Failed(_));
        let (small, its_program, first) = smallest(job, &program, &exploration, smaller.as_ref());
        let (small, first) = match &sharper {
            Some(sharp) => (&sharp.job, &sharp.exploration),
            None => (small, first),
        };
        let found = |_: &Exploration| stuck(&exploration);
        let missing = missing::find(small, its_program, first, stop, &found);
        let mut finding = line::finding(small, its_program, first);
        if let Some(finding) = &mut finding {
            finding.aside.remedies = missing.as_ref();
        }
        if args.json {
            let record =
                RunRecord::of(job, &program, &exploration, finding.as_ref(), args.outcomes);
            let json = serde_json::to_string(&record).map_err(std::io::Error::from)?;
            output.plain(&json)?;
        } else {
            tell(args, job, &program, &exploration, columns, output)?;
            if let Some(hint) = hint.filter(|_| !args.detail) {
                output.line(&Line::of(Role::Caution, format!("    {hint}")))?;
            }
            if let Some(finding) = &finding {
                show(args, finding, output)?;
            }
        }
        if let (true, Some(finding)) = (args.keep, &finding) {
            replay::keep(finding)?;
        }
    }
    end(args, &summary, gap, output)?;
    Ok(summary.exit())
}

/// What was searched, and what was found: in a smaller instance, if it was found there too.
fn smallest<'a>(
    job: &'a Job,
    program: &'a Arc<Program>,
    exploration: &'a Exploration,
    smaller: Option<&'a Smaller>,
) -> (&'a Job, &'a Arc<Program>, &'a Exploration) {
    match smaller {
        Some(small) => (&small.job, &small.program, &small.exploration),
        None => (job, program, exploration),
    }
}

/// What the run comes to. The text of a violation ends with an empty line of its own, and needs no other `gap`.
fn end(args: &RunArgs, summary: &Summary, gap: bool, output: &mut Output) -> Result<(), Error> {
    if args.json {
        return Ok(());
    }
    if gap {
        output.line(&Line::new())?;
    }
    output.line(&summary.line())
}

/// A search does not come back: the thread that noticed has told what is known, and is the last to speak.
fn last_words(told: Result<(), Error>, exit: Exit) -> ! {
    if let Err(error) = told {
        output::complain(&error);
    }
    std::process::exit(exit.code().into())
}

/// The verdict alone.
fn tell_one(
    args: &RunArgs,
    job: &Job,
    program: &Program,
    exploration: &Exploration,
    columns: Columns,
    output: &mut Output,
) -> Result<(), Error> {
    if !args.json {
        tell(args, job, program, exploration, columns, output)?;
        let remarks = exploration.remarks.iter().filter(|_| !args.detail);
        for remark in remarks {
            output.line(&Line::of(Role::Caution, format!("    {remark}")))?;
        }
        return Ok(());
    }
    let record = RunRecord::of(job, program, exploration, None, args.outcomes);
    output.plain(&serde_json::to_string(&record).map_err(std::io::Error::from)?)
}

fn tell(
    args: &RunArgs,
    job: &Job,
    program: &Program,
    exploration: &Exploration,
    columns: Columns,
    output: &mut Output,
) -> Result<(), Error> {
    output.line(&line::verdict(job, exploration, columns))?;
    for remark in line::remarks(job, exploration, args.detail) {
        output.line(&remark)?;
    }
    if args.outcomes {
        for line in line::histogram(program, exploration) {
            output.line(&line)?;
        }
    }
    Ok(())
}

fn show(args: &RunArgs, finding: &Finding<'_>, output: &mut Output) -> Result<(), Error> {
    let page = Page {
        width: output.width(),
        detail: args.detail,
        ascii: args.ascii || output.is_ascii(),
    };
    output.line(&Line::new())?;
    output.text(&report(finding, page))?;
    output.line(&Line::new())?;
    Ok(())
}
