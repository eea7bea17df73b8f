//! Which model is asked for: where a search, a replay and an estimate begin.

use std::sync::Arc;

use gupcheck_program::{
    Choice, Counterexample, Engine, Estimate, Exploration, Model, Program, Reductions, Remedies,
    Replay, ReplayError, Replayed, Schedule, Search, Tuning, Violation,
};

use super::clock::MAX_CPUS;
use super::engine::GraphEngine;
use super::estimate::by_probes;
use super::silence::silently;
use super::{model, remedy, replay, search};

/// How many executions `program` has under `model`, by so many probes from a seed; see the module
/// `estimate`. Only from 256 on they say more than nothing. `None` if the engine does not know the model, or not so many CPUs.
pub fn estimate(
    program: &Arc<Program>,
    model: Model,
    reductions: Reductions,
    (probes, seed): (u32, u64),
) -> Option<Estimate> {
    let estimate = match model {
        Model::Sc => by_probes::<model::Sc>,
        Model::Tso => by_probes::<model::Tso>,
        Model::Rc11 => by_probes::<model::Rc11>,
        Model::Lkmm => by_probes::<model::Lkmm>,
        Model::LoomC11 | Model::Machine => return None,
    };
    let has_room = program.cpus().len() <= MAX_CPUS;
    has_room.then(|| estimate(program, reductions, (probes, seed)))?
}

/// The execution that these choices lead to, told, as the `execution`th of a search; made small, if `small`. `None` if it
/// breaks no rule.
///
/// # Errors
/// Why the choices cannot be followed.
pub fn tell(
    program: &Arc<Program>,
    model: Model,
    choices: &[Choice],
    execution: u64,
) -> Result<Option<Counterexample>, String> {
    let tell = match model {
        Model::Sc => replay::tell::<model::Sc>,
        Model::Tso => replay::tell::<model::Tso>,
        Model::Rc11 => replay::tell::<model::Rc11>,
        Model::Lkmm => replay::tell::<model::Lkmm>,
        other @ (Model::LoomC11 | Model::Machine) => {
            return Err(format!("the graph engine does not know the model {other}"));
        }
    };
    tell(program, choices, execution)
}

/// Which ordering was missing in a counterexample that this engine found in `program` under `model`. `None` under SC, and where
/// that cannot be said.
pub fn remedies(
    program: &Arc<Program>,
    model: Model,
    counterexample: &Counterexample,
) -> Option<Remedies> {
    let Some(Schedule::Graph(choices)) = &counterexample.schedule else {
        return None;
    };
    let (remedies, are_cycles_told): (fn(&_, &_, &_, _) -> _, _) = match model {
        Model::Tso => (remedy::remedies::<model::Tso>, false),
        Model::Rc11 => (remedy::remedies::<model::Rc11>, false),
        Model::Lkmm => (remedy::remedies::<model::Lkmm>, true),
        Model::Sc | Model::LoomC11 | Model::Machine => return None,
    };
    let told = silently(|| remedies(program, choices, &counterexample.trace, are_cycles_told))?;
    let is_of_order = matches!(counterexample.violation,
        Violation::Property { index, .. } if Some(index) == program.witness_property());
    Some(match told {
        Remedies::Interleaving if is_of_order => Remedies::Judged,
        told => told,
    })
}

impl Engine for GraphEngine {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Rc11, Model::Lkmm, Model::Sc, Model::Tso]
    }

    fn tuned(&self, Tuning { jobs, reductions }: Tuning) -> Option<Box<dyn Engine>> {
        Some(Box::new(Self {
            jobs,
            reductions,
            ..*self
        }))
    }

    fn hears_witnesses(&self) -> bool {
        true
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        if program.cpus().len() > MAX_CPUS {
            return Exploration::unsupported(format!("more than {MAX_CPUS} CPUs"));
        }
        match search.model {
            Model::Sc => search::run::<model::Sc>(program, search, *self),
            Model::Tso => search::run::<model::Tso>(program, search, *self),
            Model::Rc11 => search::run::<model::Rc11>(program, search, *self),
            Model::Lkmm => search::run::<model::Lkmm>(program, search, *self),
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
            Model::Lkmm => replay::run::<model::Lkmm>(program, replay, choices),
            other @ (Model::LoomC11 | Model::Machine) => Err(ReplayError::Unsupported(format!(
                "the graph engine does not know the model {other}"
            ))),
        }
    }
}
