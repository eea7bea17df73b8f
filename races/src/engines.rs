//! All engines, by name; and which engine and which memory model, where nobody asked for another.

use gupcheck_core::arch::{Memory, Profile};

use gupcheck_graph::GraphEngine;
use gupcheck_loom::LoomEngine;
use gupcheck_native::NativeEngine;
use gupcheck_program::{Engine, Model};
use gupcheck_shuttle::ShuttleEngine;
use gupcheck_states::StatesEngine;

use crate::race::{Race, Size};

/// An engine, a memory model, and what may be hoped for.
#[derive(Clone, Copy)]
pub struct Choice {
    /// The engine.
    pub engine: &'static dyn Engine,
    /// One of the models that it knows.
    pub model: Model,
    /// Whether it is expected to see every execution: a verdict that was cut short is then a failure.
    pub finishes: bool,
}

/// The model under which `engine` explores a race under `profile`: the one that the hardware promises
/// where the engine knows it, otherwise the engine's default.
pub fn model_for(engine: &dyn Engine, profile: &Profile) -> Model {
    let promised = match profile.memory {
        Memory::Tso => Model::Tso,
        Memory::Weak => Model::Rc11,
        Memory::Kernel => Model::Lkmm,
    };
    let models = engine.models();
    match models.first() {
        Some(&default) if !models.contains(&promised) => default,
        _ => promised,
    }
}

/// Every engine, the default one first.
pub fn all() -> &'static [&'static dyn Engine] {
    &[
        &GraphEngine::ONE_THREAD,
        &StatesEngine::XXH3,
        &LoomEngine,
        &ShuttleEngine::RANDOM,
        &ShuttleEngine::PCT,
        &ShuttleEngine::URW,
        &ShuttleEngine::DFS,
        &NativeEngine,
    ]
}

/// What an engine is for, and when it is taken where nobody asks for another ([`default_at`]).
pub fn about(engine: &dyn Engine) -> &'static str {
    match engine.name() {
        "graph" => {
            "every execution once, and how many; `run` takes it under rc11, for one caller and page, and where counts are \
             asked for (--outcomes, --max-executions, --reduce)"
        }
        "states" => {
            "every state once, the nearest violation first, no counts; `run` takes it under sc and tso for more than one \
             caller or page"
        }
        "loom" => {
            "interleavings and stale reads; a second opinion that misses some (docs/limits.md), and does not judge I1"
        }
        "shuttle-dfs" => {
            "all schedules, one after the other; small races only, and I1 is not judged"
        }
        "native" => "real threads, many rounds: what this machine does, and never `complete`",
        _ => "schedules at random: a first violation soon, and never `complete`",
    }
}

/// A name that no engine has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown engine {name:?} (known: {known})")]
pub struct UnknownEngine {
    /// The name.
    pub name: String,
    known: String,
}

/// The engine of that name.
///
/// # Errors
/// If there is none.
pub fn by_name(name: &str) -> Result<&'static dyn Engine, UnknownEngine> {
    let found = all().iter().copied().find(|engine| engine.name() == name);
    found.ok_or_else(|| UnknownEngine {
        name: name.to_owned(),
        known: all()
            .iter()
            .map(|engine| engine.name())
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// How a test finds its engine.
pub type Choose = fn(&Race, &'static Profile) -> Choice;

/// The engine that a race of this size is run with under a memory model, where nobody asks for another: the one that
/// finishes. States are fewer than executions as soon as there is more than one caller or page; the smallest races
/// take no time with either, and `counts` of executions, or what else only the graph engine has, may be wanted.
pub fn default_at(size: Size, model: Model, counts: bool) -> &'static dyn Engine {
    let is_larger = size != Size::SMALLEST;
    if is_larger && !counts && StatesEngine::XXH3.models().contains(&model) {
        &StatesEngine::XXH3
    } else {
        all()[0]
    }
}

/// The engine that gives a race's verdict under a profile in its tests, which count executions, where nobody asks for
/// another.
pub fn default_for(_: &Race, profile: &Profile) -> Choice {
    let engine = all()[0];
    Choice {
        engine,
        model: model_for(engine, profile),
        finishes: engine.name() == "graph",
    }
}

/// The engine that sees the whole of a race's smallest instance under a profile in its tests, where the one that counts
/// executions sees a part.
pub fn whole_by_states(race: &Race, profile: &Profile) -> Option<Choice> {
    let engine = &StatesEngine::XXH3;
    let model = model_for(all()[0], profile);
    let is_in_part = !race.is_small() && race.tries(Size::SMALLEST);
    (is_in_part && engine.models().contains(&model)).then_some(Choice {
        engine,
        model,
        finishes: true,
    })
}
