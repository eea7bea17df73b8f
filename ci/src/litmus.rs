//! `gupcheck litmus`: herd's tests, on the graph engine, or under the kernel's own model. Every file that is named is answered, whatever became of the others.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gupcheck_graph::GraphEngine;
use gupcheck_litmus::{Coverage, Litmus, LitmusError, REDUCTIONS, Report};
use gupcheck_program::{Engine, Model, Search, Stop, Unwatched};
use serde::Serialize;

use crate::args::LitmusArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::litmus_model::LitmusModel;
use crate::output::{self, Output};
use crate::plan;
use crate::source::{self, Unread};

/// More distinct outcomes than this are not kept: with all of its registers asked for, one takes a few kilobytes.
const MOST_OUTCOMES: NonZeroUsize = NonZeroUsize::new(50_000).unwrap();

/// What `--json` says of one file.
#[derive(Serialize)]
struct Record<'a> {
    file: String,
    model: &'static str,
    verdict: &'static str,
    executions: u64,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Record<'_> {
    /// What can be said of any file; nothing of executions yet.
    fn of(args: &LitmusArgs, path: &Path, verdict: &'static str) -> Self {
        Self {
            file: path.display().to_string(),
            model: args.model.name(),
            verdict,
            executions: 0,
            seconds: 0.0,
            report: None,
            error: None,
        }
    }
}

/// Runs each file.
pub(crate) fn litmus(args: &LitmusArgs, stop: &Stop, output: &mut Output) -> Result<Exit, Error> {
    let mut worst = Exit::Holds;
    for path in &args.files {
        worst = worst.max(answer(args, path, stop, output)?);
    }
    Ok(worst)
}

fn answer(args: &LitmusArgs, path: &Path, stop: &Stop, output: &mut Output) -> Result<Exit, Error> {
    let bytes = match source::read(path, args.max_seconds, stop) {
        Ok(bytes) => bytes,
        Err(unread) => {
            let (verdict, exit) = match unread {
                Unread::Failed(_) => ("unreadable", Exit::Usage),
                Unread::TooLong => ("unsupported", Exit::Truncated),
                Unread::TooSlow(_) | Unread::Interrupted => ("truncated", Exit::Truncated),
            };
            return refuse(args, path, (verdict, exit), &unread.to_string(), output);
        }
    };
    match Litmus::parse(&Litmus::text(&bytes)) {
        Ok(litmus) => {
            let run = match (args.model, litmus.beyond_engines()) {
                (LitmusModel::Kernel, _) => judge(args, &litmus, stop),
                (LitmusModel::Graph(model), None) => explore(args, model, &litmus, stop),
                (LitmusModel::Graph(_), Some(why)) => {
                    let why = format!("unsupported: {why}; but for --model lkmm");
                    let answer = ("unsupported", Exit::Truncated);
                    return refuse(args, path, answer, &why, output);
                }
            };
            tell(args, path, run, output)
        }
        Err(error) => {
            let answer = match &error {
                LitmusError::Syntax { .. } | LitmusError::Invalid { .. } => {
                    ("invalid", Exit::Usage)
                }
                LitmusError::Unsupported { .. } => ("unsupported", Exit::Truncated),
            };
            refuse(args, path, answer, &error.to_string(), output)
        }
    }
}

/// What became of a test.
struct Run {
    report: Report,
    executions: u64,
    elapsed: Duration,
}

/// Has the kernel's own model judge every candidate execution.
fn judge(args: &LitmusArgs, litmus: &Litmus, stop: &Stop) -> Run {
    let begun = Instant::now();
    let limits = plan::limits(args.max_executions, args.max_seconds);
    let mut enough = |judged| {
        limits.executions.is_some_and(|most| judged >= most)
            || stop.is_requested()
            || limits.time.is_some_and(|most| begun.elapsed() > most)
    };
    let (report, executions) = litmus.lkmm(MOST_OUTCOMES.get(), &mut enough);
    Run {
        report,
        executions,
        elapsed: begun.elapsed(),
    }
}

fn explore(args: &LitmusArgs, model: Model, litmus: &Litmus, stop: &Stop) -> Run {
    let litmus = &match model {
        Model::Lkmm => litmus.for_lkmm(),
        _ => litmus.clone(),
    };
    let program = Arc::new(litmus.program());
    let engine = GraphEngine {
        jobs: args.jobs,
        reductions: REDUCTIONS,
        outcomes: Some(MOST_OUTCOMES),
        ..GraphEngine::ONE_THREAD
    };
    let exploration = engine.explore(
        &program,
        &Search {
            model,
            limits: plan::limits(args.max_executions, args.max_seconds),
            stop: stop.clone(),
            watch: &Unwatched,
        },
    );
    Run {
        report: litmus.report(&exploration),
        executions: exploration.executions,
        elapsed: exploration.elapsed,
    }
}

/// Tells what became of a test.
fn tell(args: &LitmusArgs, path: &Path, run: Run, output: &mut Output) -> Result<Exit, Error> {
    let Run {
        report,
        executions,
        elapsed,
    } = run;
    let (verdict, exit) = match report.coverage {
        Coverage::Violation(_) => ("failed", Exit::Violation),
        // What the kernel's model complains of is broken, however much was judged.
        _ if !report.flags.is_empty() => ("failed", Exit::Violation),
        Coverage::Complete => ("complete", Exit::Holds),
        Coverage::Truncated(_) => ("truncated", Exit::Truncated),
        Coverage::Unsupported(_) => ("unsupported", Exit::Truncated),
    };
    if args.json {
        json(
            output,
            &Record {
                executions,
                seconds: elapsed.as_secs_f64(),
                report: Some(&report),
                ..Record::of(args, path, verdict)
            },
        )?;
    } else {
        output.plain(&format!("{report}\n"))?;
    }
    Ok(exit)
}

/// Says why a file was not run.
fn refuse(
    args: &LitmusArgs,
    path: &Path,
    (verdict, exit): (&'static str, Exit),
    why: &str,
    output: &mut Output,
) -> Result<Exit, Error> {
    if args.json {
        json(
            output,
            &Record {
                error: Some(why.to_owned()),
                ..Record::of(args, path, verdict)
            },
        )?;
    } else if exit == Exit::Usage {
        output::complain_of(&format!("{}: {why}", path.display()));
    } else {
        output.plain(&format!("{}: {why}\n", path.display()))?;
    }
    Ok(exit)
}

fn json(output: &mut Output, record: &Record<'_>) -> Result<(), Error> {
    let line = serde_json::to_string(record).map_err(std::io::Error::from)?;
    output.plain(&line)
}
