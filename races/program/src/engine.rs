//! Engines: each explores the same [`Program`] value and answers with an [`Exploration`].
//!
//! An engine is one crate. It implements [`Engine`] towards those who want a verdict, and
//! [`Backend`](gupcheck_sync::Backend) towards the CPUs that it runs.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::limits::Limits;
use crate::model::Model;
use crate::program::Program;
use crate::progress::{Stop, Unwatched, Watch};
use crate::reductions::Reductions;
use crate::replay::{Replay, ReplayError, Replayed};
use crate::verdict::Exploration;

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

impl Search<'static> {
    /// A search under this model that nothing limits, that nobody stops, and that nobody watches.
    pub fn unlimited(model: Model) -> Self {
        Self {
            model,
            limits: Limits::default(),
            stop: Stop::default(),
            watch: &Unwatched,
        }
    }
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

    /// Whether it judges what CPUs [claim](Program::witness).
    fn hears_witnesses(&self) -> bool {
        false
    }

    /// Explores `program` until everything is seen, a violation is found, or a limit is reached.
    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration;

    /// The name of the engine whose schedules its counterexamples have, and that replays them.
    fn replayed_by(&self) -> &'static str {
        self.name()
    }

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
