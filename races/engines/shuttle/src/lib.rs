//! The shuttle engine: schedules of sequentially consistent executions, as shuttle 0.9.9 chooses them.
//!
//! | file | noun |
//! | --- | --- |
//! | `search` | a search: shuttle's strategy, limits, account |
//! | `steer` | our side of shuttle's `Scheduler` trait: who may have the next turn |
//! | `world` | one execution: where each CPU is, how it ends, what is taken down |
//! | `memory` | its cells and locks, and who raced for them |
//! | `sections` | sections and waits in it |
//! | `clock` | what a CPU has been told of the others |
//! | `cpu` | one CPU in its task |
//! | `follow` | a schedule followed |
//!
//! # What is whose
//!
//! shuttle's are the tasks, the stacks, and the strategies: random, PCT, URW (uniform random walk) and DFS,
//! each of them a `Scheduler`. Cells, locks and waiting are ours, because shuttle's own would print what
//! they find, detect no race and know no name. Every operation is a scheduling point; a CPU that waits is
//! not offered to the strategy. shuttle never sees an execution fail: what ends one early sends its CPUs
//! home, and shuttle believes that they have returned. So it has nothing to say, nothing to serialise,
//! and no stack is left behind.
//!
//! # A schedule
//!
//! The CPU of each operation, in order: a list of [`LaneId`]s. Under SC that determines an execution, so it
//! is what is recorded, [followed](ShuttleEngine::follow) and made small, and a trace of the graph engine
//! under SC is such a schedule as well ([`schedule_of`]). A wait for sections is one operation in it, where it ends; it
//! begins directly after its CPU's operation before (`sections` says why nothing is lost by that).
//!
//! # What it sees, and what it does not
//!
//! - Sequential consistency only: fences do nothing, and no missing fence is found.
//! - Data races by vector clocks, by the same rule as the graph engine's under SC: only those of the
//!   executions that come up, but in each of them also where the race came out well.
//! - Random, PCT and URW sample: what they did not find may be there. The same seed finds the same; it is
//!   a constant, unless `SHUTTLE_RANDOM_SEED` gives another.
//! - DFS is exhaustive, and it is complete when it ends. But it tells apart what nobody could (there is no
//!   reduction, save that fences are no choices), so it ends for small programs only.
//! - An execution of a million operations is taken for one that does not end.

mod clock;
mod cpu;
mod follow;
mod memory;
mod misuse;
mod search;
mod sections;
mod steer;
mod strategy;
mod world;

use std::env;
use std::sync::mpsc;
use std::sync::{Arc, Once};
use std::time::Instant;

use gupcheck_sync::{Event, LaneId, What};

pub use self::follow::Followed;
pub use self::strategy::Strategy;

use self::cpu::Shared;
use self::follow::Guide;
use self::search::{Found, Search as Walk};
use self::world::World;
use gupcheck_program::apart::{apart, quietly};
use gupcheck_program::panics::{self, Foreign};
use gupcheck_program::{
    Counterexample, Engine, Exploration, Misfit, Model, Program, Replay, ReplayError, Replayed,
    Schedule, Search, Start, TRIES, Verdict, Violation, shrink,
};

/// The seed where nobody gives another.
const SEED: u64 = 0x6755_7063_6865_636b;
/// shuttle's own way to give another.
const SEED_VARIABLE: &str = "SHUTTLE_RANDOM_SEED";
/// shuttle's schedulers number no more tasks than this reliably, the first one among them.
const MAX_CPUS: usize = 64;

/// Explores with shuttle.
#[derive(Clone, Copy, Debug)]
pub struct ShuttleEngine {
    /// How.
    pub strategy: Strategy,
}

impl Engine for ShuttleEngine {
    fn name(&self) -> &'static str {
        match self.strategy {
            Strategy::Random => "shuttle",
            Strategy::Pct => "shuttle-pct",
            Strategy::Urw => "shuttle-urw",
            Strategy::Dfs => "shuttle-dfs",
        }
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Sc]
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        if let Some(why) = cannot_run(program) {
            return Exploration::unsupported(why);
        }
        let seed = match seed() {
            Ok(seed) => seed,
            Err(why) => return Exploration::unsupported(why),
        };
        settle();
        let (sightings, seen) = mpsc::channel();
        let (limits, stop) = (search.limits, search.stop.clone());
        let work = move || {
            let walk = Walk::new(self.strategy, seed, limits, stop, sightings);
            self.explore_apart(program, walk, seed)
        };
        // Ends when the search has dropped its sender.
        let listen = || {
            for sighting in seen {
                search.watch.sighting(&sighting);
            }
        };
        apart(work, listen).unwrap_or_else(|caught| {
            Exploration::unsupported(format!("shuttle gave up: {}", caught.words()))
        })
    }

    fn replay(&self, program: &Arc<Program>, replay: &Replay<'_>) -> Result<Replayed, ReplayError> {
        let Schedule::Cpus(cpus) = replay.schedule else {
            let engine = self.name();
            return Err(ReplayError::Foreign { engine });
        };
        if let Some(why) = cannot_run(program) {
            return Err(ReplayError::Unsupported(why));
        }
        let wanted: Vec<_> = cpus.iter().map(|&cpu| LaneId(cpu)).collect();
        let followed = Self::follow(program, &wanted);
        let misfit = (replay.fingerprint.compare(program, &followed.trace))
            .or_else(|| Misfit::of_more(program, replay.fingerprint, &followed.trace));
        let is_impossible = misfit.is_none() && followed.misfit.is_some();
        if let Some(at) = followed.misfit.filter(|_| is_impossible) {
            return Err(ReplayError::Impossible {
                step: at + 1,
                why: "this CPU has to wait".to_owned(),
            });
        }
        let alike = (followed.schedule.iter().zip(&wanted)).take_while(|(one, other)| one == other);
        Ok(Replayed {
            followed: alike.count(),
            choices: wanted.len(),
            misfit,
            broken: followed.violation.map(|violation| {
                Box::new(Counterexample {
                    violation,
                    schedule: Some(self::cpus(&followed.schedule)),
                    trace: followed.trace,
                    memory: followed.memory,
                    returned: followed.returned,
                    execution: replay.execution,
                    shrinking: None,
                    denial: None,
                })
            }),
        })
    }
}

/// Why shuttle cannot run a program at all.
fn cannot_run(program: &Program) -> Option<String> {
    if let Some(why) = program.is_for_graphs() {
        return Some(why.to_owned());
    }
    if program.cpus().len() > MAX_CPUS {
        return Some(format!("more than {MAX_CPUS} CPUs"));
    }
    let starts = program.cpus().iter().any(|cpu| cpu.start == Start::AtOnce);
    (!starts).then(|| "no CPU starts with the program".to_owned())
}

fn seed() -> Result<u64, String> {
    match env::var(SEED_VARIABLE) {
        Ok(seed) => (seed.parse()).map_err(|_| format!("{SEED_VARIABLE}={seed} is not a number")),
        Err(env::VarError::NotPresent) => Ok(SEED),
        Err(_) => Err(format!("{SEED_VARIABLE} is not a number")),
    }
}

impl ShuttleEngine {
    /// Random schedules.
    pub const RANDOM: Self = Self {
        strategy: Strategy::Random,
    };
    /// PCT schedules.
    pub const PCT: Self = Self {
        strategy: Strategy::Pct,
    };
    /// URW schedules.
    pub const URW: Self = Self {
        strategy: Strategy::Urw,
    };
    /// All schedules.
    pub const DFS: Self = Self {
        strategy: Strategy::Dfs,
    };

    /// Follows a schedule: one execution in which each operation is the next one of the CPU that it names.
    /// Where it does not fit, it is followed as nearly as possible, and the result says so.
    pub fn follow(program: &Arc<Program>, schedule: &[LaneId]) -> Followed {
        settle();
        let followed = apart(|| Guide::new(program).follow(schedule, true), || {});
        followed.unwrap_or_else(|caught| {
            // Nothing that the program does can come to this: it is the engine's own defect.
            std::panic::resume_unwind(caught.payload)
        })
    }

    fn explore_apart(self, program: &Arc<Program>, walk: Walk, seed: u64) -> Exploration {
        let began = Instant::now();
        let shared = Shared::new(World::new(program));
        let Walk { tally, found, .. } = steer::fly(&shared, walk);
        let elapsed = began.elapsed();
        let remark = match self.strategy {
            Strategy::Dfs => self.strategy.words().to_owned(),
            _ => format!("{}, seed {seed}", self.strategy.words()),
        };
        let verdict = match found.expect("a search ends with a finding") {
            Found::Cut(cut) => Verdict::Truncated(cut),
            Found::Unsupported(why) => Verdict::Unsupported(why),
            Found::Everything => Verdict::of_everything(program, &tally),
            Found::Broken(violation, schedule) => {
                let told = told(program, violation, &schedule, tally.executions);
                Verdict::Failed(Box::new(told))
            }
        };
        Exploration {
            verdict,
            executions: tally.executions,
            states: None,
            blocked: tally.blocked,
            stuck: tally.stuck,
            outcomes: tally.outcomes,
            races: 0,
            estimate: None,
            elapsed,
            remarks: vec![remark],
        }
    }
}

/// A violation told by the smallest schedule that could be found.
fn told(
    program: &Arc<Program>,
    violation: Violation,
    found: &[LaneId],
    execution: u64,
) -> Counterexample {
    let guide = Guide::new(program);
    let rule = violation.rule(program);
    let small = shrink(found, TRIES, |tried| {
        let followed = guide.follow(tried, false);
        let is_same = followed.violation?.rule(program) == rule;
        is_same.then_some(followed.schedule)
    });
    let followed = guide.follow(&small.schedule, true);
    Counterexample {
        violation: followed.violation.unwrap_or(violation),
        denial: None,
        trace: followed.trace,
        memory: followed.memory,
        returned: followed.returned,
        execution,
        schedule: Some(cpus(&followed.schedule)),
        shrinking: Some(small.shrinking),
    }
}

/// A schedule, as it is kept.
fn cpus(schedule: &[LaneId]) -> Schedule {
    Schedule::Cpus(schedule.iter().map(|lane| lane.0).collect())
}

/// The schedule that a trace tells: whose each of its operations was. Only of an execution under SC is
/// this enough to repeat it.
pub fn schedule_of(trace: &[Event]) -> Vec<LaneId> {
    (trace.iter())
        .filter(|event| matches!(event.what, What::Op { .. }))
        .map(|event| event.lane)
        .collect()
}

/// Has shuttle do what it does to the panic hook, once and for all: its own, which prints for every panic of the
/// process, is taken out again.
fn settle() {
    static ONCE: Once = Once::new();
    panics::settle(&ONCE, Foreign::Goes, || quietly(steer::settle));
}
