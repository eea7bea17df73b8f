//! The engine, as it is asked for.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{
    Engine, Exploration, Model, Program, Reductions, Replay, ReplayError, Replayed, Search, Tuning,
    means, panics,
};

use crate::search::Walk;
use crate::seen::{Hash, xxh3};

/// More CPUs than this are not explored.
const MAX_CPUS: usize = 16;

/// The engine.
#[derive(Clone, Copy, Debug)]
pub struct StatesEngine {
    /// How a state's bytes become a number. Another one than [`Default`]'s is for tests of what a collision does.
    pub hash: Hash,
    /// How many threads explore. Nothing that is found depends on it, unless a limit cuts the search.
    pub jobs: NonZeroUsize,
    /// How many states a thread takes at a time. Fewer than [`Default`]'s are for tests: small programs have few.
    pub chunk: NonZeroUsize,
}

impl StatesEngine {
    /// With the hash function that verdicts rest on, and one thread.
    pub const XXH3: Self = Self {
        hash: xxh3,
        jobs: NonZeroUsize::MIN,
        chunk: NonZeroUsize::new(64).expect("not 0"),
    };
}

impl Default for StatesEngine {
    fn default() -> Self {
        Self::XXH3
    }
}

fn cannot_run(program: &Program) -> Option<String> {
    if program.cpus().len() > MAX_CPUS {
        return Some(format!("more than {MAX_CPUS} CPUs"));
    }
    if program.holders_may_end() {
        return Some(
            "waiting in vain for one that has ended is for the graph engine only".to_owned(),
        );
    }
    program.is_for_graphs().map(str::to_owned)
}

impl Engine for StatesEngine {
    fn name(&self) -> &'static str {
        "states"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Sc, Model::Tso]
    }

    fn tuned(&self, Tuning { jobs, reductions }: Tuning) -> Option<Box<dyn Engine>> {
        let tuned = Self { jobs, ..*self };
        (reductions == Reductions::NONE).then(|| Box::new(tuned) as Box<dyn Engine>)
    }

    fn hears_witnesses(&self) -> bool {
        true
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        if let Some(why) = cannot_run(program) {
            return Exploration::unsupported(why);
        }
        let buffers = match search.model {
            Model::Sc => false,
            Model::Tso => true,
            other => {
                return Exploration::unsupported(format!(
                    "the states engine does not know the model {other}"
                ));
            }
        };
        let walk = || Walk::new(program, search, buffers, self.hash, (self.jobs, self.chunk)).run();
        panics::isolated(walk).unwrap_or_else(|caught| {
            if means::is_refusal(&*caught.payload) {
                std::panic::resume_unwind(caught.payload);
            }
            // Nothing that the program does can come to this: it is the engine's own defect.
            let words = caught.words();
            std::panic::panic_any(words)
        })
    }

    fn replayed_by(&self) -> &'static str {
        GraphEngine::ONE_THREAD.name()
    }

    fn replay(&self, program: &Arc<Program>, replay: &Replay<'_>) -> Result<Replayed, ReplayError> {
        GraphEngine::ONE_THREAD.replay(program, replay)
    }
}
