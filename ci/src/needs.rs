//! `gupcheck bench --needs`: for each step that a race rests on, how soon each engine finds out that it is missing.
//!
//! Which steps these are, `gupcheck matrix` computes; here engines are compared. A row is a race under a profile without
//! one step; a cell is an engine. Executions are counted up to and with the first that breaks a rule. They repeat; but
//! for `native`, where chance decides. Times are the machine's, and mean something only beside each other.

use std::sync::Arc;
use std::time::Duration;

use gupcheck_core::arch::Profile;
use gupcheck_core::step::{Step, Steps};
use gupcheck_program::{
    Cut, Engine, Exploration, Limits, Search, Stop, Unwatched, Verdict, Violation, explore,
};
use gupcheck_races::engines::{all, by_name, model_for};
use gupcheck_races::race::{Race, Size};
use indicatif::HumanCount;
use serde::Serialize;

use crate::args::BenchArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::{self, Output};
use crate::plan;
use crate::record::ShrinkingRecord;

/// One race under one profile, without one of the steps that it rests on.
struct Row {
    race: &'static Race,
    profile: &'static Profile,
    step: Step,
}

/// What one engine makes of it.
#[derive(Serialize)]
struct Cell {
    race: &'static str,
    catalogue: &'static str,
    profile: &'static str,
    step: &'static str,
    engine: &'static str,
    model: &'static str,
    result: Outcome,
    /// Null where states are counted.
    executions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<u64>,
    milliseconds: f64,
    /// How long the first counterexample is, in operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<usize>,
    /// From what to what it was made smaller, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    minimised: Option<ShrinkingRecord>,
}

/// What came of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// The engine has found a violation.
    Found,
    /// It has seen everything that it can see, and none is a violation.
    Holds,
    /// It was cut short.
    NotFound,
    /// Somebody stopped it.
    Interrupted,
    /// It cannot run the race.
    Unsupported,
}

/// Executions of each search, at most, where nobody says.
const EXECUTIONS: u64 = 20_000;
/// Seconds for each search, at most, where nobody says.
const SECONDS: f64 = 2.0;

fn size(args: &BenchArgs) -> Size {
    args.sizes.first().copied().unwrap_or(Size::SMALLEST)
}

/// Has each engine look for each of them.
pub(crate) fn needs(
    args: &BenchArgs,
    races: &[&'static Race],
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    if args.sizes.len() > 1 {
        return Err(Error::OneSize(args.sizes.len()));
    }
    let engines = match &args.engines[..] {
        [] => all().to_vec(),
        names => names
            .iter()
            .map(|name| by_name(name))
            .collect::<Result<_, _>>()?,
    };
    let rows = rows(&plan::select(races, args.pattern.as_deref())?);
    if !args.json {
        head(&engines, output)?;
    }
    let (mut exit, mut found, mut asked) = (Exit::Holds, 0, 0);
    for (nth, row) in rows.iter().enumerate() {
        if stop.is_requested() || output.nobody_reads() {
            let left_out = rows.len() - nth;
            output::remark(&format!("{left_out} of {} rows not run", rows.len()));
            exit = exit.max(Exit::Truncated);
            break;
        }
        let cells: Vec<_> = (engines.iter())
            .take_while(|_| !stop.is_requested())
            .map(|engine| Cell::of(row, *engine, args, stop))
            .collect();
        tell(args, row, &cells, engines.len(), output)?;
        asked += 1;
        found += usize::from(cells.iter().any(|cell| cell.result == Outcome::Found));
        exit = exit.max(worth(&cells));
    }
    if !args.json {
        output.plain(&format!("\n{found} of {asked} found by some engine"))?;
    }
    Ok(exit)
}

/// All that races claim to rest on.
fn rows(races: &[&'static Race]) -> Vec<Row> {
    let mut rows = Vec::new();
    for &race in races {
        for need in race.needs {
            rows.extend(need.profiles.iter().map(|&profile| Row {
                race,
                profile,
                step: need.step,
            }));
        }
    }
    rows
}

/// A step that some engine misses is found; one that nobody misses, though one engine has seen everything, is
/// claimed in vain.
fn worth(cells: &[Cell]) -> Exit {
    let any = |result| cells.iter().any(|cell| cell.result == result);
    if any(Outcome::Found) {
        Exit::Holds
    } else if any(Outcome::Holds) && !any(Outcome::Interrupted) {
        Exit::Violation
    } else {
        Exit::Truncated
    }
}

impl Cell {
    fn of(row: &Row, engine: &'static dyn Engine, args: &BenchArgs, stop: &Stop) -> Self {
        let size = size(args);
        let program = Arc::new((row.race).program(size, row.profile, Steps::of(&[row.step])));
        let seconds = args.max_seconds.unwrap_or(SECONDS);
        let model = model_for(engine, row.profile);
        let search = Search {
            model,
            limits: Limits {
                executions: Some(args.max_executions.unwrap_or(EXECUTIONS)),
                time: Some(Duration::from_secs_f64(seconds)),
                memory: None,
            },
            stop: stop.clone(),
            watch: &Unwatched,
        };
        let explored = explore(engine, &program, &search);
        let (result, operations) = outcome(&explored);
        Self {
            race: row.race.name,
            catalogue: row.race.catalogue,
            profile: row.profile.name,
            step: row.step.name(),
            engine: engine.name(),
            model: model.name(),
            result,
            executions: explored.states.is_none().then_some(explored.executions),
            states: explored.states.map(|states| states.states),
            milliseconds: explored.elapsed.as_secs_f64() * 1e3,
            operations,
            minimised: ShrinkingRecord::of(&explored.verdict),
        }
    }

    /// As it stands in the table.
    fn shown(&self) -> String {
        let executions = match self.states {
            Some(states) => format!("{} states", HumanCount(states)),
            None => HumanCount(self.executions.unwrap_or_default()).to_string(),
        };
        match self.result {
            Outcome::Found => format!("{executions} in {:.1} ms", self.milliseconds),
            Outcome::Holds => format!("holds, all {executions}"),
            Outcome::NotFound => format!("not in {executions}"),
            Outcome::Interrupted => format!("stopped after {executions}"),
            Outcome::Unsupported => "cannot run it".to_owned(),
        }
    }
}

fn outcome(explored: &Exploration) -> (Outcome, Option<usize>) {
    match &explored.verdict {
        // Everything was seen, and nothing is broken but the hope to see something.
        Verdict::Failed(found) if matches!(found.violation, Violation::Vacuous { .. }) => {
            (Outcome::Holds, None)
        }
        Verdict::Failed(found) => (Outcome::Found, Some(found.trace.len())),
        Verdict::Complete => (Outcome::Holds, None),
        Verdict::Truncated(Cut::Interrupted) => (Outcome::Interrupted, None),
        Verdict::Truncated(_) => (Outcome::NotFound, None),
        Verdict::Unsupported(_) => (Outcome::Unsupported, None),
    }
}

fn head(engines: &[&'static dyn Engine], output: &mut Output) -> Result<(), Error> {
    let names: Vec<_> = engines.iter().map(|engine| engine.name()).collect();
    output.plain(&format!(
        "| race | profile | without | {} |",
        names.join(" | ")
    ))?;
    output.plain(&format!("|{}", " --- |".repeat(3 + names.len())))
}

/// A row: the cells that there are, of so many.
fn tell(
    args: &BenchArgs,
    row: &Row,
    cells: &[Cell],
    of: usize,
    output: &mut Output,
) -> Result<(), Error> {
    if args.json {
        return cells.iter().try_for_each(|cell| {
            let json = serde_json::to_string(cell).map_err(std::io::Error::from)?;
            output.plain(&json)
        });
    }
    let mut cells: Vec<_> = cells.iter().map(Cell::shown).collect();
    cells.resize_with(of, || "not run".to_owned());
    let (race, profile, step) = (row.race.name, row.profile.name, row.step.name());
    output.plain(&format!(
        "| {race} | {profile} | {step} | {} |",
        cells.join(" | ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(result: Outcome) -> Cell {
        Cell {
            race: "crate/name",
            catalogue: "R00",
            profile: "weak",
            step: "a-step",
            engine: "graph",
            model: "rc11",
            result,
            executions: Some(12_345),
            states: None,
            milliseconds: 6.78,
            operations: None,
            minimised: None,
        }
    }

    #[test]
    fn a_step_is_claimed_in_vain_if_an_engine_saw_everything_and_no_engine_found_it() {
        use Outcome::{Found, Holds, Interrupted, NotFound, Unsupported};
        for (results, exit) in [
            (vec![Found, NotFound], Exit::Holds),
            // An engine that knows only sequential consistency holds where a weaker one does not.
            (vec![Found, Holds], Exit::Holds),
            (vec![Holds, NotFound], Exit::Violation),
            (vec![NotFound, Unsupported], Exit::Truncated),
            (vec![Holds, Interrupted], Exit::Truncated),
            (vec![], Exit::Truncated),
        ] {
            let cells: Vec<_> = results.iter().map(|&result| cell(result)).collect();
            assert_eq!(worth(&cells), exit, "{results:?}");
        }
    }

    #[test]
    fn a_cell_says_how_many_executions_it_took() {
        assert_eq!(cell(Outcome::Found).shown(), "12,345 in 6.8 ms");
        assert_eq!(cell(Outcome::NotFound).shown(), "not in 12,345");
    }
}
