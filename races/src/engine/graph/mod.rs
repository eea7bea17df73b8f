//! The graph engine: every execution once, none missed, under SC, TSO and RC11.
//!
//! # What is explored
//!
//! Two interleavings in which every read takes its value from the same write, and every cell's writes
//! come in the same order, are the same execution: no CPU could tell them apart. So the engine does not
//! walk through interleavings. It builds **execution graphs**: events, program order, *reads-from* (for
//! each read, the write it took its value from), *coherence* (for each cell, the order of its writes),
//! and for each lock the order of its critical sections. A **memory model** is a rule that says which
//! graphs are possible; the engine visits each of these exactly once, and keeps nothing of one when it
//! goes on to the next.
//!
//! # How
//!
//! 1. CPUs are coroutines. Each is run until it asks for an operation, so that the next event of every
//!    CPU is known before anything is decided (`cpu`).
//! 2. The first CPU that can go on gets its event added to the graph (`graph`). A read may take its
//!    value from several writes, a write may have several places in coherence order: one is taken now,
//!    the others after everything that follows from the first is explored (`explore`).
//! 3. The model says which sources and places there are. It keeps clocks for this, and updates them as
//!    events come and go; nothing is ever recomputed from the whole graph (`model`).
//! 4. A write that comes late may serve a read that came early. Then what was built on the read's old
//!    value is deleted, and exploration goes on from what is left: a backward revisit. A condition on
//!    what is deleted makes sure that each graph is come to by one way only (`revisit`).
//! 5. A broken property, a fault, a data race or a deadlock ends the search, and the graph is told as a
//!    trace (`trace`).
//!
//! 6. Several threads share a search by cutting off its oldest untried choice (`frontier`, `split`). What
//!    they find is put together in the order of one thread's search, so that the result does not tell how
//!    many there were (`ledger`). How many executions there are in all is estimated by sampling
//!    (`estimate`).
//!
//! # What is not an execution
//!
//! A graph in which somebody spins for a value that never comes is *blocked*: counted, but apart. A
//! CPU's lock is not an event until it is granted, so a graph in which all who are not finished wait for
//! locks or for each other is a deadlock: a violation.
//!
//! # How we know
//!
//! [`selfcheck`] draws random programs, enumerates their possible graphs by brute force with
//! straightforward axioms that share nothing with this engine, and compares.

mod choose;
mod clock;
mod cpu;
mod estimate;
mod event;
mod explore;
mod frontier;
#[allow(clippy::module_inception)]
mod graph;
<<<<<<< HEAD
mod model;
mod overtake;
mod queue;
=======
mod ledger;
mod met;
mod model;
mod overtake;
mod random;
>>>>>>> aab222f (Graph engine: threads split a search at its oldest choice; results in one thread's order; estimates)
mod revisit;
mod search;
pub mod selfcheck;
mod sightings;
mod split;
mod trace;

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Engine, Model, Search};
use crate::program::Program;
use crate::progress::Estimate;
use crate::verdict::Exploration;
use clock::MAX_CPUS;

/// The engine.
#[derive(Clone, Copy, Debug)]
pub struct GraphEngine {
    /// How many threads explore. What they find does not depend on it, counts and counterexample
    /// included, unless the search is cut short: then it has seen another part of the executions.
    pub jobs: NonZeroUsize,
}

impl GraphEngine {
    /// Explores with the thread that asks, and no other.
    pub const ONE_THREAD: Self = Self {
        jobs: NonZeroUsize::MIN,
    };
}

impl Default for GraphEngine {
    fn default() -> Self {
        Self::ONE_THREAD
    }
}

/// How many executions `program` has under `model`, by so many probes (at least 16) from `seed`; see the
/// module `estimate`. `None` if the engine does not know the model, or not so many CPUs.
pub fn estimate(program: &Arc<Program>, model: Model, probes: u32, seed: u64) -> Option<Estimate> {
    fn by<A: model::Axioms>(program: &Arc<Program>, probes: u32, seed: u64) -> Option<Estimate> {
        let mut estimator = estimate::Estimator::<A>::new(program, seed);
        (0..probes).for_each(|_| estimator.sample());
        estimator.estimate()
    }
    if program.cpus().len() > MAX_CPUS {
        return None;
    }
    match model {
        Model::Sc => by::<model::Sc>(program, probes, seed),
        Model::Tso => by::<model::Tso>(program, probes, seed),
        Model::Rc11 => by::<model::Rc11>(program, probes, seed),
        Model::LoomC11 | Model::Machine => None,
    }
}

impl Engine for GraphEngine {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Rc11, Model::Sc, Model::Tso]
    }

    fn with_jobs(&self, jobs: NonZeroUsize) -> Option<Box<dyn Engine>> {
        Some(Box::new(Self { jobs }))
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        if program.cpus().len() > MAX_CPUS {
            return Exploration::unsupported(format!("more than {MAX_CPUS} CPUs"));
        }
        match search.model {
            Model::Sc => search::run::<model::Sc>(program, search, self.jobs),
            Model::Tso => search::run::<model::Tso>(program, search, self.jobs),
            Model::Rc11 => search::run::<model::Rc11>(program, search, self.jobs),
            other @ (Model::LoomC11 | Model::Machine) => Exploration::unsupported(format!(
                "the graph engine does not know the model {other}"
            )),
        }
    }
}
