//! `gupcheck bench --rates`: how many executions there are, and how many of them the graph engine does in a second.
//! Without that, `bench` is a [grid](crate::grid), or with `--needs` [what it says](crate::needs).
//!
//! Counts are exact and repeat; rates are the machine's, and comparable only within one run. So where
//! several threads are measured, one is measured too, in turn with them.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gupcheck_core::arch::WEAK;
use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{
    Engine, Exploration, Limits, Model, Program, Reductions, Search, Stop, Unwatched, Verdict,
};
use gupcheck_races::race::{Race, Size};
use serde::Serialize;

use crate::args::BenchArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::grid::{grid, page};
use crate::needs::needs;
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
    /// Threads.
    jobs: usize,
    /// Which executions are left out.
    reductions: Vec<&'static str>,
    /// Executions of one exploration.
    executions: u64,
    /// Executions of one exploration that could not end, not counted above.
    blocked: u64,
    /// Distinct outcomes.
    outcomes: usize,
    /// Explorations done, one after the other.
    rounds: u64,
    /// Time for all of them.
    seconds: f64,
    /// Executions per second.
    rate: f64,
    /// How many times one thread's rate that is, in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    speedup: Option<f64>,
}

/// Measures.
pub(crate) fn bench(
    args: &BenchArgs,
    races: &[&'static Race],
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    if let Some(file) = &args.page {
        return page(file, output);
    }
    if args.needs {
        return needs(args, races, stop, output);
    }
    if !args.rates {
        return grid(args, races, stop, output);
    }
    let pattern = args.pattern.as_deref().unwrap_or(PATTERN);
    let sizes = match &args.sizes[..] {
        [] => SIZES.to_vec(),
        asked => asked.to_vec(),
    };
    let mut exit = Exit::Holds;
    for race in plan::select(races, Some(pattern))? {
        for &size in &sizes {
            match measure(args, race, size, stop) {
                Measured::Done(records) => {
                    for record in records {
                        output.plain(&told(args, &record)?)?;
                    }
                }
                Measured::CutShort => exit = exit.max(Exit::Truncated),
                Measured::Differs => {
                    let (name, Size { cpus, pages }) = (race.name, size);
                    output.plain(&format!(
                        "{name} {cpus}x{pages}: several threads, or what is left out, change what is found"
                    ))?;
                    exit = exit.max(Exit::Violation);
                }
            }
        }
    }
    Ok(exit)
}

fn told(args: &BenchArgs, record: &Record) -> Result<String, Error> {
    if args.json {
        return Ok(serde_json::to_string(record).map_err(std::io::Error::from)?);
    }
    let speedup = record.speedup.map_or(String::new(), |speedup| {
        format!(", {} threads: {speedup:.2} times", record.jobs)
    });
    let reduced = match &record.reductions[..] {
        [] => String::new(),
        names => format!(", reduced by {}", names.join(" and ")),
    };
    Ok(format!(
        "{:<28} {:<5} {}x{} {:>10} executions {:>12.0} a second{speedup}{reduced}",
        record.race, record.model, record.cpus, record.pages, record.executions, record.rate
    ))
}

/// What came of a measurement.
enum Measured {
    /// One record for each engine.
    Done(Vec<Record>),
    /// One exploration did not finish.
    CutShort,
    /// Several threads, or fewer executions, do not find what one thread does that leaves nothing out.
    Differs,
}

/// What is measured side by side, first one thread that leaves nothing out.
fn engines(args: &BenchArgs) -> Vec<GraphEngine> {
    let one = GraphEngine::ONE_THREAD;
    let several = GraphEngine {
        jobs: args.jobs,
        ..one
    };
    let reduced = GraphEngine {
        reductions: Reductions::all_of(&args.reduce),
        ..several
    };
    let mut all = vec![one];
    if several.jobs > one.jobs {
        all.push(several);
    }
    if reduced.reductions != Reductions::NONE {
        all.push(reduced);
    }
    all
}

/// Explorations by one engine.
struct Rounds {
    engine: GraphEngine,
    /// The first exploration.
    first: Option<Exploration>,
    done: u64,
    elapsed: Duration,
}

impl Rounds {
    fn of(engine: GraphEngine) -> Self {
        Self {
            engine,
            first: None,
            done: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// Explores once; `false` if that does not finish.
    fn explore(&mut self, program: &Arc<Program>, search: &Search<'_>) -> bool {
        let began = Instant::now();
        let exploration = self.engine.explore(program, search);
        self.elapsed += began.elapsed();
        self.done += 1;
        let finished = matches!(exploration.verdict, Verdict::Complete);
        self.first.get_or_insert(exploration);
        finished
    }

    fn found(&self) -> &Exploration {
        self.first.as_ref().expect("at least one round")
    }

    /// Whether this found what `plain`, one thread that leaves nothing out, did.
    fn agrees_with(&self, plain: &Self) -> bool {
        let (found, plain) = (self.found(), plain.found());
        let count = |found: &Exploration| (found.executions, found.blocked);
        let outcomes = |found: &Exploration| found.outcomes.keys().cloned().collect::<HashSet<_>>();
        if self.engine.reductions == Reductions::NONE {
            count(found) == count(plain) && found.outcomes == plain.outcomes
        } else {
            found.executions <= plain.executions && outcomes(found) == outcomes(plain)
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate needs no last digit")]
    fn rate(&self) -> f64 {
        (self.found().executions * self.done) as f64 / self.elapsed.as_secs_f64()
    }
}

/// Explores again and again for as long as `--seconds` says, with each engine in turn.
fn measure(args: &BenchArgs, race: &'static Race, size: Size, stop: &Stop) -> Measured {
    let profile = race.profiles.last().copied().unwrap_or(&WEAK);
    let program = Arc::new(race.program(size, profile, Steps::NONE));
    let search = Search {
        model: args.model,
        limits: Limits {
            executions: args.max_executions,
            time: None,
            memory: None,
        },
        stop: stop.clone(),
        watch: &Unwatched,
    };
    let mut all: Vec<_> = engines(args).into_iter().map(Rounds::of).collect();
    let enough = Duration::from_secs_f64(args.seconds);
    while all
        .iter()
        .any(|rounds| rounds.done == 0 || rounds.elapsed < enough)
    {
        if !all
            .iter_mut()
            .all(|rounds| rounds.explore(&program, &search))
        {
            return Measured::CutShort;
        }
    }
    let one = &all[0];
    if !all.iter().all(|rounds| rounds.agrees_with(one)) {
        return Measured::Differs;
    }
    let record = |rounds: &Rounds| Record {
        race: race.name,
        model: Model::name(args.model),
        cpus: size.cpus,
        pages: size.pages,
        jobs: rounds.engine.jobs.get(),
        reductions: rounds.engine.reductions.names().collect(),
        executions: rounds.found().executions,
        blocked: rounds.found().blocked,
        outcomes: rounds.found().outcomes.len(),
        rounds: rounds.done,
        seconds: rounds.elapsed.as_secs_f64(),
        rate: rounds.rate(),
        speedup: (rounds.engine.jobs > NonZeroUsize::MIN).then(|| rounds.rate() / one.rate()),
    };
    Measured::Done(all.iter().map(record).collect())
}
