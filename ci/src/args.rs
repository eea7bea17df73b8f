//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedI64ValueParser;
use clap::{Parser, Subcommand};
use gupcheck_core::arch::Profile;
use gupcheck_core::noise::{Noise, UnknownNoise};
use gupcheck_core::step::Step;
use gupcheck_graph::selfcheck::generate::Family;
use gupcheck_program::{Model, Reductions};
use gupcheck_races::race::Size;

use crate::litmus_model::LitmusModel;
use crate::matrix::Shard;
use crate::pattern;
use crate::picture::Pictures;

/// The most threads for a search: as many as any machine has cores for.
const MOST_JOBS: usize = 1024;

/// Deterministic tests of races around the kernel's lockless `get_user_pages`.
#[derive(Debug, Parser)]
#[command(name = "gupcheck", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the races, or the steps, profiles or engines there are
    List(ListArgs),
    /// Explore races and print a verdict for each, under each of its profiles
    ///
    /// Exits with 0 if every execution of every race was explored and holds, 1 if one breaks a rule, 2 if
    /// the command line is wrong, and 3 if a search was cut short or could not run.
    Run(Box<RunArgs>),
    /// Run one execution again, by the token that a failing run or test printed
    ///
    /// Exits with 1 if it breaks a rule, 3 if it does not (any more): one execution that holds shows nothing of
    /// the others. Exits with 2 if the token is not whole, or of what does not exist here.
    Replay(ReplayArgs),
    /// Run litmus tests written as herd7's linux-kernel flavour has them
    ///
    /// Prints herd's result block for each file, and what was left out of it. Every file that is named is answered. Exits
    /// with 0 if every execution of every file was explored, and none breaks a rule; else with the worst of, from bad to worse: 3
    /// if a file uses what has no meaning here or its search was cut short, 1 if one has a data race, a deadlock or a fault,
    /// or no execution at all that ends, or the kernel's model flags it; 2 if one cannot be read, or is no litmus test. What
    /// the test's own condition comes to has no part in it.
    Litmus(LitmusArgs),
    /// Show what each step of the protocol is for: every step knocked out of every race, one by one
    ///
    /// For each step and profile: how many races fail without it, and the one that shows it in the fewest operations, as a
    /// counterexample that can be replayed. Steps that no race fails without come first. What needs no search gets none:
    /// where the code of a race never asks about a step, the race without it is the same race.
    ///
    /// Exits with 0 if every race holds with all steps in place, fails without each step that it declares to need, and
    /// holds without every other; 1 otherwise; 2 if the command line is wrong, or files to be merged do not
    /// belong together; and 3 if a search was cut short.
    Matrix(Box<MatrixArgs>),
    /// Measure the engines that see everything: one search of each race at each size
    ///
    /// Prints executions or states, CPU seconds, memory. With --rates, the speed of the graph engine. Exits with 0 if
    /// everything was explored, 1 if something breaks a rule, or several threads find something else than one does, 2 if
    /// the command line is wrong, and 3 if a search was cut short. With --needs, how soon each engine finds each step
    /// missing that a race rests on, as a Markdown table; then 1 stands for one that no engine finds although one has
    /// seen everything.
    Bench(BenchArgs),
    /// Compare the graph engine with a brute-force enumerator on random small programs
    ///
    /// Exits with 0 if they agree on every program, 1 if they do not on some, and 3 if interrupted.
    Selfcheck(SelfcheckArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Which races: as for `run` [default: all but peer/*; with --rates, peer/*]
    pub(crate) pattern: Option<String>,
    /// How soon each engine finds each step missing that a race rests on
    #[arg(long, conflicts_with_all = ["rates", "markdown", "page", "profiles", "reduce"])]
    pub(crate) needs: bool,
    /// Callers and pages, as in 3x2; several with commas [default: 1x1,2x1,2x2,3x1,3x2; with --rates, 2x1,3x1,2x2; with
    /// --needs, 1x1, and no more than one]
    #[arg(long = "size", value_name = "CxP", value_delimiter = ',', value_parser = size)]
    pub(crate) sizes: Vec<Size>,
    /// Architecture profiles, among those that a race names; repeatable
    #[arg(long = "profile", value_name = "PROFILE", value_parser = profile, default_values = ["x86-pv", "arm64"], conflicts_with = "rates")]
    pub(crate) profiles: Vec<&'static Profile>,
    /// An engine; repeatable [default: graph and states; with --needs, all]
    #[arg(long = "engine", value_name = "ENGINE", conflicts_with = "rates")]
    pub(crate) engines: Vec<String>,
    /// Threads that share each search; with --rates and above 1, one thread is measured too, in turn with them
    #[arg(long, value_name = "N", default_value = "1", value_parser = jobs)]
    pub(crate) jobs: NonZeroUsize,
    /// Executions of one search, at most; states, for the states engine [default: no limit; with --needs, 20000]. With
    /// --rates, a measurement that needs more is left out (exit code 3)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_executions: Option<u64>,
    /// Seconds for each search, at most; larger sizes than one that was cut are not tried [default: 20; with --needs, 2]
    #[arg(long, value_name = "S", value_parser = positive, conflicts_with = "rates")]
    pub(crate) max_seconds: Option<f64>,
    /// MiB that the states engine may keep states in
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1 << 30), conflicts_with = "rates")]
    pub(crate) max_memory: u64,
    /// Two tables for a page: the searches, and how much each caller more costs
    #[arg(long, conflicts_with_all = ["rates", "json"])]
    pub(crate) markdown: bool,
    /// Make these tables of what --json wrote to a file before; nothing is measured
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rates", "json", "markdown", "pattern", "sizes"])]
    pub(crate) page: Option<PathBuf>,
    /// Explore each race again and again with the graph engine, to compare its speed with itself
    #[arg(long)]
    pub(crate) rates: bool,
    /// The memory model
    #[arg(long, value_name = "MODEL", default_value = "rc11", requires = "rates")]
    pub(crate) model: Model,
    /// Leave out executions, as for `run` (graph engine only); with --rates, what is left of each search is measured
    /// beside the whole
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) reduce: Vec<Reductions>,
    /// Seconds for each measurement, at least
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = positive, requires = "rates")]
    pub(crate) seconds: f64,
    /// One JSON object a line (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MatrixArgs {
    /// Which races: as for `run` [default: all but peer/*]
    pub(crate) pattern: Option<String>,
    /// A step to look up, by name or catalogue id: only its row, with every counterexample; repeatable [default: all]
    #[arg(long = "step", value_name = "STEP", value_parser = step)]
    pub(crate) steps: Vec<Step>,
    /// An architecture profile, even one that a race does not name; repeatable [default: those that each race names]
    #[arg(long = "profile", value_name = "PROFILE", value_parser = profile)]
    pub(crate) profiles: Vec<&'static Profile>,
    /// A memory model; repeatable [default: the profile's]
    #[arg(long = "model", value_name = "MODEL")]
    pub(crate) models: Vec<Model>,
    /// The engine [default: chosen as for `run`]
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<String>,
    /// GUP callers, from 1 to 6 [default: as in the smallest instance that a race's tests explore to the end]
    #[arg(long, value_name = "N", value_parser = callers())]
    pub(crate) cpus: Option<u32>,
    /// Pages that each caller asks for, from 1 to 8 [default: likewise]
    #[arg(long, value_name = "N", value_parser = pages())]
    pub(crate) pages: Option<u32>,
    /// A step that is missing everywhere, from the control on: what is needed once it has gone; repeatable
    #[arg(long = "knock-out", value_name = "STEP", value_parser = step)]
    pub(crate) knocked_out: Vec<Step>,
    /// Let somebody run in the background everywhere, as for `run`
    #[arg(long, value_name = "WHO", value_delimiter = ',', value_parser = noise)]
    pub(crate) noise: Vec<Noise>,
    /// Leave out executions that tell nothing new, as for `run`, where the engine can; `none` for nothing
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        default_value = "all"
    )]
    pub(crate) reduce: Vec<Reductions>,
    /// Searches at a time, each on one thread [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Executions of each search, at most; states, for the states engine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_executions: Option<u64>,
    /// Seconds for each search, at most; 0 for no limit
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub(crate) max_seconds: Duration,
    /// MiB that the states engine may keep states in, for each search
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(crate) max_memory: u64,
    /// Search what needs no search as well, and complain if it is not the same as its control after all
    #[arg(long)]
    pub(crate) every_cell: bool,
    /// Where searches are kept that are done, for this very build [default: target/gupcheck-matrix of the workspace]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Keep no searches, and use none that were kept
    #[arg(long, conflicts_with = "cache")]
    pub(crate) no_cache: bool,
    /// Only the K-th of N parts, as in 2/8: what a job of an array does
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Search nothing: put together what --shard and --json wrote, with the other arguments as they were
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["shard", "cache", "no_cache", "every_cell"])]
    pub(crate) merge: Vec<PathBuf>,
    /// One JSON object a line, one for each cell (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
    /// Tables for a page of documentation
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Write a page to this folder, index.html, from which each failing cell opens its counterexample
    #[arg(long, value_name = "DIR")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SelfcheckArgs {
    /// The memory model: sc, tso, rc11, lkmm [default: all four]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<Model>,
    /// Which programs: `mixed` (a bit of everything), `queues` (reader-writer locks and waiting), `waits`
    /// (waiting on memory), `twins` (CPUs that do the same), `sections` (sections, and waits for them),
    /// `section-twins` (the same, with CPUs that do the same), `spawns` (CPUs that start and join each other),
    /// `looks` (questions, and heads of address dependencies), `voids` (updates without a result, and read barriers
    /// after them), `fenced` (questions among fences), `dependencies` (operations that say what they were computed
    /// from), `plain` (plain accesses, and what may order them) [default: all]
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    pub(crate) family: Option<Family>,
    /// How many programs for each model and family
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) programs: u64,
    /// The first program's seed; the others follow
    #[arg(long, value_name = "SEED", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1 << 62))]
    pub(crate) seed: u64,
    /// One JSON object a line (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// The token, or a file with tokens in it: one of `ci/schedules`, or a log; `-` for standard input
    #[arg(value_name = "TOKEN|FILE")]
    pub(crate) token: String,
    /// One JSON object a line (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
    /// Show every step
    #[arg(long)]
    pub(crate) detail: bool,
    /// Draw with ASCII alone, as where the locale has no UTF-8
    #[arg(long)]
    pub(crate) ascii: bool,
    #[command(flatten)]
    pub(crate) pictures: Pictures,
    /// Keep it in `ci/schedules`, to be replayed by every test run
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LitmusArgs {
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The memory model: sc, tso, rc11; or lkmm, the kernel's own, which is not explored by an engine, but by judging every
    /// candidate execution; or lkmm-graph, the same by the graph engine, without load buffering and with what it knows of
    /// dependencies
    #[arg(long, value_name = "MODEL", default_value = "rc11")]
    pub(crate) model: LitmusModel,
    /// Threads that share each search; what they find does not depend on it. Of no effect under lkmm
    #[arg(long, value_name = "N", default_value = "1", value_parser = jobs)]
    pub(crate) jobs: NonZeroUsize,
    /// Executions of each file, at most; under lkmm, candidate executions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_executions: Option<u64>,
    /// Seconds for the search of each file, at most; 0 for no limit [default: 20, or none with --max-executions].
    /// At most 50,000 outcomes are kept, and telling them takes what it takes, about a second
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) max_seconds: Option<Duration>,
    /// Show an execution of each file as `run` shows one of a race: that which breaks a rule, or ends as the test asks about. Without
    /// this, only of a single file that breaks a rule
    #[arg(long)]
    pub(crate) detail: bool,
    /// Draw with ASCII alone, as where the locale has no UTF-8
    #[arg(long)]
    pub(crate) ascii: bool,
    #[command(flatten)]
    pub(crate) pictures: Pictures,
    /// One JSON object a line (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Default, clap::Args)]
pub(crate) struct ListArgs {
    /// Which races: as for `run`. With --steps, which steps: by name, by a part of it, or by catalogue id such as P12
    pub(crate) pattern: Option<String>,
    /// Show the steps that can be knocked out, instead of the races
    #[arg(long, conflicts_with_all = ["profiles", "engines"])]
    pub(crate) steps: bool,
    /// Show the architecture profiles, instead of the races
    #[arg(long, conflicts_with_all = ["engines", "pattern"])]
    pub(crate) profiles: bool,
    /// Show the engines and the memory models they know, instead of the races
    #[arg(long, conflicts_with = "pattern")]
    pub(crate) engines: bool,
    /// One JSON object a line (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Which races: a whole `crate/name` for that race alone, part of one, or a pattern with * and ? for all of
    /// it; or a catalogue id such as R02. Without it, all but those that are known to fail in the kernel as it is
    pub(crate) pattern: Option<String>,
    /// The engine [default: chosen for each race; see `list --engines`]
    #[arg(long, value_name = "ENGINE")]
    pub(crate) engine: Option<String>,
    /// An architecture profile, even one that a race does not name [default: those that it names]
    #[arg(long = "profile", value_name = "PROFILE", value_parser = profile)]
    pub(crate) profiles: Vec<&'static Profile>,
    /// The memory model: sc, tso, rc11, lkmm (the kernel's own, without load buffering) [default: the profile's, where
    /// the engine has a choice]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<Model>,
    /// GUP callers, from 1 to 6
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = callers())]
    pub(crate) cpus: u32,
    /// Pages that each caller asks for, from 1 to 8
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = pages())]
    pub(crate) pages: u32,
    /// A step that nobody takes, by name or catalogue id; repeatable
    #[arg(long = "knock-out", value_name = "STEP", value_parser = step)]
    pub(crate) knocked_out: Vec<Step>,
    /// Let somebody run in the background: `pfn`, a reference taken of whatever is on the LRU; `lru`, a page kept in a
    /// batch for it; `ad`, page aging and hardware's accessed and dirty bits; `freeze`, a count frozen for a while. No
    /// race may come to another end by it; several with commas
    #[arg(long, value_name = "WHO", value_delimiter = ',', value_parser = noise)]
    pub(crate) noise: Vec<Noise>,
    /// Leave out executions that tell nothing new (graph engine only): `symmetry`, those that differ by an
    /// exchange of CPUs declared to be twins; `retries`, those in which a round of a compare-exchange loop fails;
    /// `dominated`, those in which a load reads what orders more than its answer takes (rc11 only); or `all`.
    /// Outcomes and verdicts stay, counts are smaller
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) reduce: Vec<Reductions>,
    /// Threads that share each search (graph and states engines). What a search finds does not depend on it,
    /// unless a limit cuts it short
    #[arg(long, value_name = "N", default_value = "1", value_parser = jobs)]
    pub(crate) jobs: NonZeroUsize,
    /// Executions of each race under each profile, at most; states, for the states engine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_executions: Option<u64>,
    /// Seconds for each race under each profile, at most; 0 for no limit [default: 20, or none with
    /// --max-executions]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) max_seconds: Option<Duration>,
    /// MiB that the states engine may keep states in, for each race under each profile
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub(crate) max_memory: u64,
    /// One JSON object a line (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
    /// Show every step of a counterexample, and all that the engine has to say
    #[arg(long)]
    pub(crate) detail: bool,
    /// Show how often each outcome was seen
    #[arg(long)]
    pub(crate) outcomes: bool,
    /// Draw with ASCII alone, as where the locale has no UTF-8
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Keep the schedules of violations in `ci/schedules`, to be replayed by every test run
    #[arg(long)]
    pub(crate) keep: bool,
}

fn family(text: &str) -> Result<Family, String> {
    Family::by_name(text).ok_or_else(|| {
        let known = Family::ALL.map(Family::name).join(", ");
        format!("unknown family {text:?} (known: {known})")
    })
}

fn step(text: &str) -> Result<Step, String> {
    let known = Step::ALL.iter().map(|step| step.name());
    text.parse()
        .map_err(|_| unknown("step", text, known, "--steps"))
}

fn noise(text: &str) -> Result<Noise, String> {
    text.parse()
        .map_err(|error: UnknownNoise| error.to_string())
}

fn profile(text: &str) -> Result<&'static Profile, String> {
    let known = Profile::ALL.iter().map(|profile| profile.name);
    text.parse()
        .map_err(|_| unknown("profile", text, known, "--profiles"))
}

fn unknown<'a>(what: &str, text: &str, known: impl Iterator<Item = &'a str>, flag: &str) -> String {
    let near = pattern::near_misses(text, known);
    let hint = pattern::did_you_mean(&near);
    format!("unknown {what} {text:?}{hint}; `gupcheck list {flag}` shows all")
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(jobs) if jobs.get() <= MOST_JOBS => Ok(jobs),
        _ => Err(format!("not a number from 1 to {MOST_JOBS}")),
    }
}

fn size(text: &str) -> Result<Size, String> {
    let numbers = text.split_once('x');
    let size = numbers.and_then(|(cpus, pages)| {
        Some(Size {
            cpus: cpus.parse().ok()?,
            pages: pages.parse().ok()?,
        })
    });
    size.filter(|size| size.is_possible()).ok_or_else(|| {
        let Size { cpus, pages } = Size::LARGEST;
        format!("not callers x pages, as 2x1, at most {cpus}x{pages}")
    })
}

fn shard(text: &str) -> Result<Shard, String> {
    Shard::parse(text).ok_or_else(|| "not one part of several, as in 2/8".to_owned())
}

fn callers() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(Size::LARGEST.cpus))
}

fn pages() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(Size::LARGEST.pages))
}

fn positive(text: &str) -> Result<f64, String> {
    match seconds(text)? {
        Duration::ZERO => Err("more than nothing, please".to_owned()),
        time => Ok(time.as_secs_f64()),
    }
}

/// Some thirty years, which no clock overflows by.
const MOST_SECONDS: f64 = 1e9;

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    let number = number.filter(|seconds| (0.0..=MOST_SECONDS).contains(seconds));
    number
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "not a number of seconds, from 0 to a billion".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_of_selfcheck_names_every_family() {
        let mut command = Args::command();
        let selfcheck = command
            .find_subcommand_mut("selfcheck")
            .expect("there is one");
        let help = selfcheck.render_long_help().to_string();
        for family in Family::ALL {
            let name = family.name();
            assert!(help.contains(&format!("`{name}`")), "{name}: {help}");
        }
    }

    #[test]
    fn an_unknown_step_names_its_near_misses() {
        let message = step("pmd-rechek").unwrap_err();
        assert!(message.contains("did you mean pmd-recheck"), "{message}");
    }

    #[test]
    fn seconds_are_neither_negative_nor_words() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["-1", "soon", "NaN", "inf", "1e300"] {
            let said = seconds(wrong).unwrap_err();
            assert!(
                said.starts_with("not a number of seconds"),
                "{wrong}: {said}"
            );
        }
    }
}
