//! The `gupcheck` command: lists the races, runs them, and says what came of it.
//!
//! | file | noun |
//! | --- | --- |
//! | `args` | the command line |
//! | `catalogue` | every race there is |
//! | `pattern` | which of them are meant |
//! | `plan` | what is run: race by race, profile by profile |
//! | `run`, `replay`, `litmus`, `list`, `matrix`, `bench`, `selfcheck` | the commands |
//! | `needs` | a bench of how soon each engine finds a step missing |
//! | `source` | a file that is read within bounds |
//! | `search`, `smaller`, `sharper` | the search of what is run; of what is smaller and breaks the same rule; of what breaks a rule that says more |
//! | `line`, `summary`, `record` | what is said of a run: to a person, at the end, to a program |
//! | `progress`, `interrupt` | how a run is watched and stopped |
//! | `output`, `paint`, `harmless` | where text goes, in which colours, and what must not get there |
//! | `exit`, `error` | how the process ends |

mod args;
mod bench;
mod catalogue;
mod cell;
mod error;
mod execution;
mod exit;
mod grid;
mod harmless;
mod interrupt;
mod line;
mod list;
mod litmus;
mod litmus_model;
mod log;
mod matrix;
mod missing;
mod needs;
mod output;
mod paint;
mod pattern;
mod picture;
mod plan;
mod progress;
mod record;
mod replay;
mod run;
mod search;
mod selfcheck;
mod sharper;
mod smaller;
mod source;
mod summary;
mod tables;
mod usage;

use std::process::ExitCode;
use std::thread::JoinHandle;

use clap::Parser;
use gupcheck_program::{Stop, means};

use crate::args::{Args, Command};
use crate::error::Error;
use crate::exit::Exit;
use crate::output::{Output, Screen};

/// Runs the command on a thread that has room for it, however little the shell allows the first one.
fn main() -> ExitCode {
    let spawned = means::thread_of(means::THREAD_BYTES).spawn(parse_and_run);
    match spawned.map(JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => parse_and_run(),
    }
}

fn parse_and_run() -> ExitCode {
    let args = Args::parse();
    let stdout = anstream::stdout();
    let mut output = Output::new(Box::new(stdout), Screen::of_stdout());
    let exit = match command(&args, &mut output) {
        Ok(exit) => exit,
        Err(error) => {
            output::complain(&error);
            Exit::Usage
        }
    };
    exit.into()
}

/// A request to stop that Ctrl-C makes.
fn stoppable() -> Result<Stop, Error> {
    let stop = Stop::default();
    interrupt::arrange(&stop)?;
    Ok(stop)
}

fn command(args: &Args, output: &mut Output) -> Result<Exit, Error> {
    let races = catalogue::all_races();
    match &args.command {
        Command::List(args) => list::list(args, &races, output),
        Command::Run(args) => run::run(args, &races, &stoppable()?, output),
        Command::Replay(args) => replay::replay(args, &races, output),
        Command::Litmus(args) => litmus::litmus(args, &stoppable()?, output),
        Command::Matrix(args) => matrix::matrix(args, &races, &stoppable()?, output),
        Command::Bench(args) => bench::bench(args, &races, &stoppable()?, output),
        Command::Selfcheck(args) => selfcheck::selfcheck(args, &stoppable()?, output),
    }
}
