//! Engines: each explores the same [`Program`] value and answers with an [`Exploration`].
//!
//! An engine is one file (or folder) here. It implements [`Engine`] towards those who want a verdict,
//! and [`Backend`](gupcheck_core::sync::Backend) towards the CPUs that it runs; nothing else in the
//! workspace knows that it exists, except the list in [`by_name`].

mod apart;
mod choice;
pub mod determinism;
pub mod graph;
mod loom;
mod native;
mod panics;
mod replay;
mod shuttle;
mod stack;

pub use self::choice::{Choice, UnknownEngine, all, by_name, default_for, model_for};
pub use self::graph::{GraphEngine, Reductions};
pub use self::loom::LoomEngine;
pub use self::native::NativeEngine;
pub use self::replay::{Replay, ReplayError, Replayed};
pub use self::shuttle::{Followed, ShuttleEngine, Strategy, schedule_of};

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::program::Program;
use crate::progress::{Stop, Watch};
use crate::verdict::{Counterexample, Exploration, Verdict, Violation};

/// A memory model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Sequential consistency.
    Sc,
    /// Total store order: x86.
    Tso,
    /// Repaired C11, with SC fences and without SC accesses.
    Rc11,
    /// C11 as loom understands it.
    LoomC11,
    /// Whatever the machine does.
    Machine,
}

impl Model {
    /// Its name on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sc => "sc",
            Self::Tso => "tso",
            Self::Rc11 => "rc11",
            Self::LoomC11 => "loom-c11",
            Self::Machine => "machine",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no memory model has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown memory model {0:?} (known: sc, tso, rc11)")]
pub struct UnknownModel(String);

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Sc, Self::Tso, Self::Rc11]
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| UnknownModel(name.to_owned()))
    }
}

/// How much a search may cost. A search that reaches a limit says so: it is truncated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Executions, exactly.
    pub executions: Option<u64>,
    /// Wall-clock time, looked at after every execution.
    pub time: Option<Duration>,
}

/// What is asked of an engine.
#[derive(Clone)]
pub struct Search<'a> {
    /// The memory model; the engine's own choice if it knows only one.
    pub model: Model,
    /// How much it may cost.
    pub limits: Limits,
    /// How it is stopped.
    pub stop: Stop,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

/// How to go about a search, for engines that leave it to others to say. Nothing here changes a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// How many threads explore.
    pub jobs: NonZeroUsize,
    /// Which executions are left out.
    pub reductions: Reductions,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            jobs: NonZeroUsize::MIN,
            reductions: Reductions::NONE,
        }
    }
}

/// Explores programs.
pub trait Engine: Sync {
    /// Its name on the command line and in JSON.
    fn name(&self) -> &'static str;

    /// The memory models it knows, its default first.
    fn models(&self) -> &'static [Model];

    /// This engine, exploring as `tuning` says; `None` if it has no such choice.
    fn tuned(&self, tuning: Tuning) -> Option<Box<dyn Engine>> {
        let _ = tuning;
        None
    }

    /// Explores `program` until everything is seen, a violation is found, or a limit is reached.
    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration;

    /// Runs one execution again, by the schedule that this engine once gave for it. Where that no longer
    /// fits the program, it runs the nearest that does, and says so.
    ///
    /// # Errors
    /// If the schedule is not one of this engine's, or is none that the model allows.
    fn replay(&self, program: &Arc<Program>, replay: &Replay<'_>) -> Result<Replayed, ReplayError> {
        let _ = (program, replay);
        Err(ReplayError::CannotReplay {
            engine: self.name(),
        })
    }
}

/// Explores `program` with `engine`, once its CPUs have been found to be
/// [deterministic](determinism). Who asks for a verdict asks here.
pub fn explore(engine: &dyn Engine, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
    match determinism::check(program) {
        Ok(()) => engine.explore(program, search),
        Err(message) => Exploration {
            verdict: Verdict::Failed(Box::new(Counterexample::bare(
                Violation::Nondeterminism { message },
                0,
            ))),
            ..Exploration::unsupported("")
        },
    }
}
