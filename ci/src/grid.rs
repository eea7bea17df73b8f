//! `gupcheck bench` over races: one search of each race at each size by each engine.
//!
//! Counts are exact and repeat. Seconds are of CPU time, of all threads of the search; they are the machine's, and
//! comparable only within one run. A search that was cut says "over"; larger sizes are not tried by that engine then.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gupcheck_core::arch::Profile;
use gupcheck_core::noise::Noise;
use gupcheck_core::step::Steps;
use gupcheck_program::{Engine, Limits, Stop};
use gupcheck_races::engines::{all, by_name, model_for};
use gupcheck_races::instance::Instance;
use gupcheck_races::race::{Race, Size};
use indicatif::HumanCount;

use crate::args::BenchArgs;
use crate::cell::Cell;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::{self, Output};
use crate::plan::{self, Job};
use crate::search::search;
use crate::tables::tables;
use crate::usage::Usage;

/// What is measured unless somebody says otherwise.
const SIZES: [Size; 5] = [
    Size { cpus: 1, pages: 1 },
    Size { cpus: 2, pages: 1 },
    Size { cpus: 2, pages: 2 },
    Size { cpus: 3, pages: 1 },
    Size { cpus: 3, pages: 2 },
];

/// Those that see everything.
const ENGINES: [&str; 2] = ["graph", "states"];
/// What a search may take.
const SECONDS: f64 = 20.0;

/// Measures all that `args` asks for.
pub(crate) fn grid(
    args: &BenchArgs,
    races: &[&'static Race],
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    let mut engines: Vec<&dyn Engine> = match &args.engines[..] {
        [] => ENGINES.map(by_name).into_iter().collect::<Result<_, _>>()?,
        names => (names.iter().map(|name| by_name(name))).collect::<Result<_, _>>()?,
    };
    engines.dedup_by_key(|engine| engine.name());
    let sizes = match &args.sizes[..] {
        [] => SIZES.to_vec(),
        asked => asked.to_vec(),
    };
    let mut exit = Exit::Holds;
    let mut all = Vec::new();
    for race in plan::of_the_kernel(races, args.pattern.as_deref())? {
        let is_meant = |profile: &&&'static Profile| {
            args.profiles.contains(*profile) && !race.is_to_fail(profile)
        };
        for &profile in race.profiles.iter().filter(is_meant) {
            for &engine in &engines {
                let of = (race, profile, engine, &sizes[..]);
                all.append(&mut row(args, of, stop, &mut exit, output)?);
            }
        }
    }
    if args.markdown {
        output.plain(&tables(&all))?;
    }
    if all.is_empty() {
        output::remark(
            "nothing was measured: no race that is meant names such a profile, or no engine knows its model",
        );
        exit = exit.max(Exit::Truncated);
    }
    Ok(exit)
}

/// The tables of what was measured before.
pub(crate) fn page(file: &Path, output: &mut Output) -> Result<Exit, Error> {
    let unreadable = |error: std::io::Error| Error::Unreadable {
        path: file.to_owned(),
        error,
    };
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let cells = text.lines().map(serde_json::from_str);
    let cells: Vec<Cell> =
        (cells.collect::<Result<_, _>>()).map_err(|error| unreadable(error.into()))?;
    output.plain(&tables(&cells))?;
    Ok(Exit::Holds)
}

/// One race under one profile by one engine, at all sizes; nothing if the engine does not know the profile's model.
fn row(
    args: &BenchArgs,
    (race, profile, engine, sizes): (
        &'static Race,
        &'static Profile,
        &'static dyn Engine,
        &[Size],
    ),
    stop: &Stop,
    exit: &mut Exit,
    output: &mut Output,
) -> Result<Vec<Cell>, Error> {
    let model = model_for(engine, profile);
    if model != model_for(all()[0], profile) {
        return Ok(Vec::new());
    }
    let mut cells: Vec<Cell> = Vec::new();
    for &size in sizes {
        let is_beyond =
            |cell: &Cell| !cell.whole && cell.cpus <= size.cpus && cell.pages <= size.pages;
        if cells.iter().any(is_beyond) || stop.is_requested() {
            continue;
        }
        let job = Job {
            instance: Instance {
                race,
                profile,
                size,
                knocked_out: Steps::NONE,
                noise: Noise::empty(),
                engine,
                model,
            },
            tuning: plan::tuning(engine, args.jobs, &args.reduce),
            limits: Limits {
                executions: args.max_executions,
                time: Some(Duration::from_secs_f64(args.max_seconds.unwrap_or(SECONDS))),
                memory: Some(args.max_memory << 20),
            },
        };
        let program = Arc::new(job.instance.program());
        let usage = Usage::begin();
        let exploration = search(&job, &program, stop, &|_| {
            std::process::exit(Exit::Truncated.code().into())
        });
        let cell = Cell::of(&job, &exploration, usage.end());
        *exit = (*exit).max(Exit::of(&exploration.verdict));
        if args.json {
            let json = serde_json::to_string(&cell).map_err(std::io::Error::from)?;
            output.plain(&json)?;
        } else if !args.markdown {
            output.plain(&line(&cell))?;
        }
        cells.push(cell);
    }
    Ok(cells)
}

fn line(cell: &Cell) -> String {
    let what = if cell.states.is_some() {
        "states"
    } else {
        "executions"
    };
    let bytes = cell
        .bytes_per_state
        .map_or(String::new(), |bytes| format!(", {bytes:.0} bytes each"));
    let peak = cell
        .peak_mib
        .map_or(String::new(), |mib| format!(", {mib} MiB"));
    format!(
        "{:<28} {:<11} {:<7} {}x{} {:<9} {:>12} {what:<10} {:>8.2} CPU s {:>10.0} a second{bytes}{peak}",
        cell.race,
        cell.profile,
        cell.engine,
        cell.cpus,
        cell.pages,
        cell.verdict,
        HumanCount(cell.count()),
        cell.seconds,
        cell.rate,
    )
}
