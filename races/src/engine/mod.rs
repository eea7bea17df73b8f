//! Engines: each explores the same [`Program`] value and answers with an [`Exploration`].
//!
//! An engine is one file (or folder) here. It implements [`Engine`] towards those who want a verdict,
//! and [`Backend`](gupcheck_core::sync::Backend) towards the CPUs that it runs; nothing else in the
//! workspace knows that it exists, except the list in [`by_name`].

mod choice;
pub mod graph;
mod loom;
mod native;
mod panics;

pub use self::choice::{Choice, UnknownEngine, all, by_name, default_for, model_for};
pub use self::graph::GraphEngine;
pub use self::loom::LoomEngine;
pub use self::native::NativeEngine;

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::program::Program;
use crate::progress::{Stop, Watch};
use crate::verdict::Exploration;

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

/// Explores programs.
pub trait Engine: Sync {
    /// Its name on the command line and in JSON.
    fn name(&self) -> &'static str;

    /// The memory models it knows, its default first.
    fn models(&self) -> &'static [Model];

    /// This engine, exploring with so many threads; `None` if that is not for others to say.
    fn with_jobs(&self, _: NonZeroUsize) -> Option<Box<dyn Engine>> {
        None
    }

    /// Explores `program` until everything is seen, a violation is found, or a limit is reached.
    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration;
}
