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

mod build;
mod choose;
mod clock;
mod cpu;
mod estimate;
mod event;

mod explore;
mod frontier;
#[allow(clippy::module_inception)]
mod graph;
mod ledger;
mod level;
mod minimise;
mod model;
mod overtake;
mod queue;
mod random;
mod replay;
mod revisit;
mod search;
pub mod selfcheck;
mod sightings;
mod split;
mod symmetry;
mod timeline;
mod trace;

use std::num::{NonZeroU64, NonZeroUsize};
use std::str::FromStr;
use std::sync::Arc;

use super::{Engine, Model, Replay, ReplayError, Replayed, Search, Tuning};
use crate::program::Program;
use crate::progress::Estimate;
use crate::schedule::Schedule;
use crate::verdict::Exploration;
use clock::MAX_CPUS;

/// The engine.
#[derive(Clone, Copy, Debug)]
pub struct GraphEngine {
    /// How many threads explore. What they find does not depend on it, counts and counterexample
    /// included, unless the search is cut short: then it has seen another part of the executions.
    pub jobs: NonZeroUsize,
    /// After so many executions a piece of the search is cut off, whether or not some thread has nothing to
    /// do. What is found does not depend on it either: for tests of that.
    pub cuts: Option<NonZeroU64>,
    /// Which executions are left out.
    pub reductions: Reductions,
}

/// Executions that need not be explored for the outcomes to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reductions {
    /// Of those that differ only in which of two twins ([`CpuDecl::twin_of`]) did what, all but one. How the
    /// others end is known from it: they are judged, and their outcomes recorded.
    ///
    /// [`CpuDecl::twin_of`]: crate::program::CpuDecl::twin_of
    pub symmetry: bool,
    /// Those in which a round of a loop has failed ([`Lane::retry`]).
    ///
    /// [`Lane::retry`]: gupcheck_core::sync::Lane::retry
    pub retries: bool,
}

impl Reductions {
    /// Everything is explored.
    pub const NONE: Self = Self {
        symmetry: false,
        retries: false,
    };

    /// All that there are.
    pub const ALL: Self = Self {
        symmetry: true,
        retries: true,
    };

    /// What is left out, by the names that [`FromStr`] takes.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.symmetry, SYMMETRY), (self.retries, RETRIES)]
            .into_iter()
            .filter_map(|(is_on, name)| is_on.then_some(name))
    }

    /// What any of these leaves out.
    pub fn all_of(these: &[Self]) -> Self {
        Self {
            symmetry: these.iter().any(|one| one.symmetry),
            retries: these.iter().any(|one| one.retries),
        }
    }

    /// What there is to say of a search that leaves these executions out.
    fn remarks(self, program: &Program) -> Vec<String> {
        let has_twins = program.cpus().iter().any(|cpu| cpu.twin_of.is_some());
        let mut remarks = Vec::new();
        if self.symmetry {
            remarks.push(if has_twins {
                "symmetry: of executions that differ by an exchange of twins, one was explored"
                    .to_owned()
            } else {
                "symmetry: no two CPUs are twins here, nothing was left out".to_owned()
            });
        }
        if self.retries {
            remarks.push(
                "retries: executions in which a round of a retry loop fails were left out"
                    .to_owned(),
            );
        }
        remarks
    }

    fn twins(self, program: &Program) -> symmetry::Twins {
        if self.symmetry {
            symmetry::Twins::of_program(program)
        } else {
            symmetry::Twins::NONE
        }
    }
}

const SYMMETRY: &str = "symmetry";
const RETRIES: &str = "retries";

/// A name that no reduction has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reduction {0:?} (known: {SYMMETRY}, {RETRIES}, all)")]
pub struct UnknownReduction(String);

impl FromStr for Reductions {
    type Err = UnknownReduction;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            SYMMETRY => Ok(Self {
                symmetry: true,
                ..Self::NONE
            }),
            RETRIES => Ok(Self {
                retries: true,
                ..Self::NONE
            }),
            "all" => Ok(Self::ALL),
            other => Err(UnknownReduction(other.to_owned())),
        }
    }
}

impl GraphEngine {
    /// Explores with the thread that asks, and no other.
    pub const ONE_THREAD: Self = Self {
        jobs: NonZeroUsize::MIN,
        cuts: None,
        reductions: Reductions::NONE,
    };
}

impl Default for GraphEngine {
    fn default() -> Self {
        Self::ONE_THREAD
    }
}

/// How many executions `program` has under `model`, by so many probes (at least 16) from a seed; see the
/// module `estimate`. `None` if the engine does not know the model, or not so many CPUs.
pub fn estimate(
    program: &Arc<Program>,
    model: Model,
    reductions: Reductions,
    (probes, seed): (u32, u64),
) -> Option<Estimate> {
    let estimate = match model {
        Model::Sc => estimate::by_probes::<model::Sc>,
        Model::Tso => estimate::by_probes::<model::Tso>,
        Model::Rc11 => estimate::by_probes::<model::Rc11>,
        Model::LoomC11 | Model::Machine => return None,
    };
    let has_room = program.cpus().len() <= MAX_CPUS;
    has_room.then(|| estimate(program, reductions, (probes, seed)))?
}

impl Engine for GraphEngine {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Rc11, Model::Sc, Model::Tso]
    }

    fn tuned(&self, Tuning { jobs, reductions }: Tuning) -> Option<Box<dyn Engine>> {
        Some(Box::new(Self {
            jobs,
            reductions,
            ..*self
        }))
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        if program.cpus().len() > MAX_CPUS {
            return Exploration::unsupported(format!("more than {MAX_CPUS} CPUs"));
        }
        match search.model {
            Model::Sc => search::run::<model::Sc>(program, search, *self),
            Model::Tso => search::run::<model::Tso>(program, search, *self),
            Model::Rc11 => search::run::<model::Rc11>(program, search, *self),
            other @ (Model::LoomC11 | Model::Machine) => Exploration::unsupported(format!(
                "the graph engine does not know the model {other}"
            )),
        }
    }

    fn replay(&self, program: &Arc<Program>, replay: &Replay<'_>) -> Result<Replayed, ReplayError> {
        let Schedule::Graph(choices) = replay.schedule else {
            let engine = self.name();
            return Err(ReplayError::Foreign { engine });
        };
        if program.cpus().len() > MAX_CPUS {
            return Err(ReplayError::Unsupported(format!(
                "more than {MAX_CPUS} CPUs"
            )));
        }
        match replay.model {
            Model::Sc => replay::run::<model::Sc>(program, replay, choices),
            Model::Tso => replay::run::<model::Tso>(program, replay, choices),
            Model::Rc11 => replay::run::<model::Rc11>(program, replay, choices),
            other @ (Model::LoomC11 | Model::Machine) => Err(ReplayError::Unsupported(format!(
                "the graph engine does not know the model {other}"
            ))),
        }
    }
}
