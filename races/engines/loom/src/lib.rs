//! The loom engine: interleavings and stale reads, as loom 0.7.3 explores them.
//!
//! | file | noun |
//! | --- | --- |
//! | `ladder` | how the budget is spent, and what the verdict is |
//! | `control` | one rung of it: limits, account, what ends it |
//! | `world` | one execution: loom's objects and threads |
//! | `cpu` | one CPU in it: operations in terms of loom's |
//! | `sections` | sections and waits, by gates |
//! | `door` | what a CPU takes and drops: a lock, or a gate |
//! | `record` | the books of an execution: trace, objects, who waits |
//! | `history` | one atomic cell in them: its writes, and who saw them |
//! | `minimise` | a counterexample with as few preemptions as it takes |
//! | `path` | one execution again: loom's path, kept small |
//! | `sizes` | how many objects an execution gets |
//!
//! # The protocol
//!
//! The program and its layout are immutable and shared by all executions; only loom's objects are
//! remade for each. No state but loom's decides anything, so a repeated schedule repeats everything.
//! Nobody joins the CPUs: the last one to finish judges the execution. What ends a search early is
//! thrown as a private value past the panic hook, and the search runs on a thread of its own, so that
//! whoever asked for it keeps theirs.
//!
//! # What it sees, and what it does not
//!
//! *A pass is evidence, not proof.* Beside what every C11 model lacks of the kernel's:
//!
//! - at most four CPUs: loom has five threads, and one of them makes the objects;
//! - loom remembers only the last access to a location: it misses executions where a CPU reads and
//!   later writes what another CPU has read. The `ladder` does what it can about that;
//! - it remembers the last seven stores to a cell;
//! - a fully ordered RMW fences also when its condition refuses;
//! - a conditional RMW that is going to succeed never sees the older write that would have refused it:
//!   the latest write is tried first, and only where that refuses, an older one may be read as well;
//! - a `spin_until` that acquires does so with each of its loads, not only with the last;
//! - a load at the head of a dependency is relaxed, and where its value leads somewhere an acquire fence follows: that
//!   also orders what the CPU has loaded before;
//! - a wait for sections visits the CPUs in order, each by its gate, and a gate orders like a lock (`sections`);
//! - dropping and taking a reader-writer lock shared orders its readers among themselves;
//! - CPUs that loom leaves suspended when a search ends in a violation are never unwound: what they
//!   own, some kilobytes, stays allocated.
//!
//! `Exploration::executions` counts loom's executions, many of which are equivalent.

mod bounds;
mod control;
mod cpu;
mod door;
mod history;
mod ladder;
mod minimise;
mod path;
mod record;
mod run;
mod sections;
mod sizes;
mod world;

use std::sync::mpsc;
use std::sync::{Arc, Once};

use self::bounds::MAX_CPUS;
use self::control::Common;
use self::minimise::explored;
use gupcheck_program::apart::{apart, quietly};
use gupcheck_program::panics::{self, Foreign};
use gupcheck_program::{
    CpuDecl, Engine, Exploration, Model, Program, Replay, ReplayError, Replayed, Schedule, Search,
    Start,
};

/// Explores with loom.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoomEngine;

impl Engine for LoomEngine {
    fn name(&self) -> &'static str {
        "loom"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::LoomC11]
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        if let Some(why) = cannot_run(program) {
            return Exploration::unsupported(why);
        }
        settle();
        let (sightings, seen) = mpsc::channel();
        let common = Common {
            program: Arc::clone(program),
            stop: search.stop.clone(),
            sightings,
        };
        let limits = search.limits;
        let climb = move || explored(&common, limits);
        // Ends when the explorer has dropped its senders.
        let listen = || {
            for sighting in seen {
                search.watch.sighting(&sighting);
            }
        };
        apart(climb, listen).unwrap_or_else(|caught| {
            // Nothing that the program does can come to this: it is the engine's own defect.
            std::panic::resume_unwind(caught.payload)
        })
    }

    fn replay(&self, program: &Arc<Program>, replay: &Replay<'_>) -> Result<Replayed, ReplayError> {
        let Schedule::Loom(path) = replay.schedule else {
            let engine = self.name();
            return Err(ReplayError::Foreign { engine });
        };
        if let Some(why) = cannot_run(program) {
            return Err(ReplayError::Unsupported(why));
        }
        settle();
        let replayed = apart(|| path::replay(program, replay, path), || {});
        replayed.unwrap_or_else(|caught| std::panic::resume_unwind(caught.payload))
    }
}

/// Why loom cannot run a program at all.
fn cannot_run(program: &Program) -> Option<String> {
    if let Some(why) = program.is_for_graphs() {
        return Some(why.to_owned());
    }
    let cpus = program.cpus().len();
    if cpus > MAX_CPUS {
        return Some(format!(
            "loom runs at most {MAX_CPUS} CPUs beside its main thread, and this program has {cpus}"
        ));
    }
    let starts = |cpu: &CpuDecl| cpu.start == Start::AtOnce;
    (!program.cpus().iter().any(starts)).then(|| "no CPU starts with the program".to_owned())
}

/// Has loom's coroutines do what they do to the panic hook, once and for all.
fn settle() {
    static ONCE: Once = Once::new();
    panics::settle(&ONCE, Foreign::Stays, || {
        quietly(|| ::loom::model::Builder::new().check(|| {}));
    });
}
