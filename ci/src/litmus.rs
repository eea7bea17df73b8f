//! `gupcheck litmus`: herd's tests, on the graph engine. Every file that is named is answered, whatever became of the others.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_litmus::{Coverage, Litmus, REDUCTIONS, Report};
use gupcheck_program::{Engine, Search, Stop, Unwatched};
use serde::Serialize;

use crate::args::LitmusArgs;
use crate::error::Error;
use crate::exit::Exit;
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
        Ok(litmus) => explore(args, path, &litmus, stop, output),
        Err(error) => {
            let answer = ("unsupported", Exit::Truncated);
            refuse(args, path, answer, &error.to_string(), output)
        }
    }
}

fn explore(
    args: &LitmusArgs,
    path: &Path,
    litmus: &Litmus,
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
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
            model: args.model,
            limits: plan::limits(args.max_executions, args.max_seconds),
            stop: stop.clone(),
            watch: &Unwatched,
        },
    );
    let report = litmus.report(&exploration);
    let (verdict, exit) = match report.coverage {
        Coverage::Complete => ("complete", Exit::Holds),
        Coverage::Truncated(_) => ("truncated", Exit::Truncated),
        Coverage::Violation(_) => ("failed", Exit::Violation),
        Coverage::Unsupported(_) => ("unsupported", Exit::Truncated),
    };
    if args.json {
        json(
            output,
            &Record {
                executions: exploration.executions,
                seconds: exploration.elapsed.as_secs_f64(),
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
