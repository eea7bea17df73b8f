//! `gupcheck litmus`: herd's tests, on the graph engine, or under the kernel's own model. Every file that is named is answered, whatever became of the others.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gupcheck_graph::GraphEngine;
use gupcheck_litmus::{Coverage, Litmus, LitmusError, Quantifier, REDUCTIONS, Report};
use gupcheck_program::{Engine, Model, Search, Stop, Unwatched};
use gupcheck_trace::{Document, Finding, Line, Page, report};
use serde::Serialize;

use crate::args::LitmusArgs;
use crate::error::Error;
use crate::execution::{self, Tested, under};
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
    execution: Option<Document>,
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
            execution: None,
            error: None,
        }
    }
}

/// Runs each file.
pub(crate) fn litmus(args: &LitmusArgs, stop: &Stop, output: &mut Output) -> Result<Exit, Error> {
    if args.files.len() > 1 && !args.pictures.is_empty() {
        return Err(Error::OneFilePicture(args.files.len()));
    }
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
    let source = Litmus::text(&bytes);
    match Litmus::parse(&source) {
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
            let shown = Shown::of(args, path, (&litmus, &source), &run, stop);
            tell(args, path, run, &shown, output)
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
    let litmus = under(litmus, model);
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

/// What there is to show beside the report.
enum Shown<'t> {
    /// Nothing that was asked for.
    Nothing,
    /// An execution was to be shown, and there is none: why.
    None(&'static str),
    Execution(Tested<'t>, Box<execution::Shown>),
}

impl<'t> Shown<'t> {
    /// What there is to show of a test that has been run.
    fn of(
        args: &LitmusArgs,
        path: &Path,
        (litmus, source): (&'t Litmus, &'t str),
        run: &Run,
        stop: &Stop,
    ) -> Self {
        let report = &run.report;
        let breaks_a_rule =
            matches!(report.coverage, Coverage::Violation(_)) || !report.flags.is_empty();
        let is_asked = args.detail || !args.pictures.is_empty();
        let is_due = breaks_a_rule && args.files.len() == 1 && !args.json;
        if !is_asked && !is_due {
            return Self::Nothing;
        }
        let sought = match litmus.quantifier() {
            Quantifier::ForAll => report.negative,
            Quantifier::Exists | Quantifier::NotExists => report.positive,
        };
        if !breaks_a_rule && sought == 0 {
            return Self::None("there is no execution to show: none that was seen ends so");
        }
        let model = match args.model {
            LitmusModel::Kernel => Model::Lkmm,
            LitmusModel::Graph(model) => model,
        };
        if litmus.beyond_engines().is_some() {
            return Self::None("no execution is shown: no engine can run this test");
        }
        let tested = Tested {
            litmus: under(litmus, model),
            source,
            model,
            command: format!(
                "cargo run -- litmus {} --model {} --detail",
                path.display(),
                args.model.name()
            ),
        };
        let limits = plan::limits(args.max_executions, args.max_seconds);
        match (tested.find(breaks_a_rule, limits, stop), args.model) {
            (Some(found), _) => Self::Execution(tested, Box::new(found)),
            (None, LitmusModel::Kernel) => Self::None(
                "no execution is shown: the graph engine, which knows no load buffering, finds none that ends so",
            ),
            (None, LitmusModel::Graph(_)) => {
                Self::None("no execution is shown: none was found that could be told")
            }
        }
    }
}

/// Tells what became of a test.
fn tell(
    args: &LitmusArgs,
    path: &Path,
    run: Run,
    shown: &Shown<'_>,
    output: &mut Output,
) -> Result<Exit, Error> {
    let mut finding = match shown {
        Shown::Execution(tested, found) => Some(found.finding(tested)),
        Shown::Nothing | Shown::None(_) => None,
    };
    let written = match &finding {
        Some(finding) => args.pictures.write(finding, args.detail)?,
        None => Vec::new(),
    };
    if let Some(finding) = &mut finding {
        finding.aside.files = &written;
    }
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
                execution: finding.as_ref().map(Document::of),
                ..Record::of(args, path, verdict)
            },
        )?;
    } else {
        output.plain(&format!("{report}\n"))?;
        show(args, finding.as_ref(), output)?;
    }
    if let Shown::None(why) = shown {
        output::remark(&format!("{}: {why}", path.display()));
    }
    Ok(exit)
}

fn show(
    args: &LitmusArgs,
    finding: Option<&Finding<'_>>,
    output: &mut Output,
) -> Result<(), Error> {
    let Some(finding) = finding else {
        return Ok(());
    };
    let page = Page {
        width: output.width(),
        detail: args.detail,
        ascii: args.ascii || output.is_ascii(),
    };
    output.text(&report(finding, page))?;
    output.line(&Line::new())
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
