//! `gupcheck bench`: how many executions there are, and how many of them the graph engine does in a second.
//!
//! Counts are exact and repeat; rates are the machine's, and comparable only within one run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gupcheck_core::arch::WEAK;
use gupcheck_core::step::Steps;
use gupcheck_races::engine::{Engine, GraphEngine, Limits, Model, Search};
use gupcheck_races::progress::{Stop, Unwatched};
use gupcheck_races::race::{Race, Size};
use gupcheck_races::verdict::Verdict;
use serde::Serialize;

use crate::args::BenchArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::Output;
use crate::plan;

/// Callers and pages at which the models of `peer` are measured.
const SIZES: [Size; 3] = [
    Size { cpus: 2, pages: 1 },
    Size { cpus: 3, pages: 1 },
    Size { cpus: 2, pages: 2 },
];

/// What is measured unless somebody says otherwise: the models that other checkers run as well.
const PATTERN: &str = "peer/*";

/// One measurement.
#[derive(Serialize)]
struct Record {
    race: &'static str,
    model: &'static str,
    cpus: u32,
    pages: u32,
    /// Executions of one exploration.
    executions: u64,
    /// Explorations done, one after the other.
    rounds: u64,
    /// Time for all of them.
    seconds: f64,
    /// Executions per second.
    rate: f64,
}

/// Measures.
pub(crate) fn bench(
    args: &BenchArgs,
    races: &[&'static Race],
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    let pattern = args.pattern.as_deref().unwrap_or(PATTERN);
    let mut exit = Exit::Holds;
    for race in plan::select(races, Some(pattern))? {
        for size in SIZES {
            let Some(record) = measure(args, race, size, stop) else {
                exit = Exit::Truncated;
                continue;
            };
            let line = if args.json {
                serde_json::to_string(&record).map_err(std::io::Error::from)?
            } else {
                format!(
                    "{:<28} {:<5} {}x{} {:>10} executions {:>12.0} a second",
                    record.race,
                    record.model,
                    record.cpus,
                    record.pages,
                    record.executions,
                    record.rate
                )
            };
            output.plain(&line)?;
        }
    }
    Ok(exit)
}

/// Explores again and again for as long as `--seconds` says; `None` if one exploration does not finish.
fn measure(args: &BenchArgs, race: &Race, size: Size, stop: &Stop) -> Option<Record> {
    let profile = race.profiles.last().copied().unwrap_or(&WEAK);
    let program = Arc::new(race.program(size, profile, Steps::NONE));
    let search = Search {
        model: args.model,
        limits: Limits {
            executions: args.max_executions,
            time: None,
        },
        stop: stop.clone(),
        watch: &Unwatched,
    };
    let (mut rounds, mut executions) = (0, 0);
    let began = Instant::now();
    let enough = Duration::from_secs_f64(args.seconds);
    while rounds == 0 || began.elapsed() < enough {
        let exploration = GraphEngine::default().explore(&program, &search);
        if !matches!(exploration.verdict, Verdict::Complete) {
            return None;
        }
        rounds += 1;
        executions += exploration.executions;
    }
    let seconds = began.elapsed().as_secs_f64();
    Some(Record {
        race: race.name,
        model: Model::name(args.model),
        cpus: size.cpus,
        pages: size.pages,
        executions: executions / rounds,
        rounds,
        seconds,
        #[allow(clippy::cast_precision_loss, reason = "a rate needs no last digit")]
        rate: executions as f64 / seconds,
    })
}
