//! `gupcheck litmus`: herd's tests, on the graph engine.

use std::path::Path;
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_litmus::{Litmus, LitmusError, Report};
use gupcheck_program::{Engine, Search, Stop, Unwatched};
use serde::Serialize;

use crate::args::LitmusArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::Output;
use crate::plan;

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
        if stop.is_requested() {
            return Ok(worst.max(Exit::Truncated));
        }
        let source = std::fs::read_to_string(path).map_err(|error| Error::Unreadable {
            path: path.clone(),
            error,
        })?;
        let exit = match Litmus::parse(&source) {
            Ok(litmus) => explore(args, path, &litmus, stop, output)?,
            Err(error) => refuse(args, path, &error, output)?,
        };
        worst = worst.max(exit);
    }
    Ok(worst)
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
    if args.json {
        json(
            output,
            &Record {
                executions: exploration.executions,
                seconds: exploration.elapsed.as_secs_f64(),
                report: Some(&report),
                ..Record::of(args, path, exploration.verdict.name())
            },
        )?;
    } else {
        output.plain(&format!("{report}\n"))?;
    }
    Ok(Exit::of(&exploration.verdict))
}

fn refuse(
    args: &LitmusArgs,
    path: &Path,
    error: &LitmusError,
    output: &mut Output,
) -> Result<Exit, Error> {
    if args.json {
        json(
            output,
            &Record {
                error: Some(error.to_string()),
                ..Record::of(args, path, "unsupported")
            },
        )?;
    } else {
        output.plain(&format!("{}: {error}\n", path.display()))?;
    }
    Ok(Exit::Truncated)
}

fn json(output: &mut Output, record: &Record<'_>) -> Result<(), Error> {
    let line = serde_json::to_string(record).map_err(std::io::Error::from)?;
    output.plain(&line)
}
