//! The memory models that a litmus test can be put to.

use std::str::FromStr;

use gupcheck_program::Model;

/// The kernel's own model as the graph engine has it.
const BY_GRAPHS: &str = "lkmm-graph";

/// What a litmus test is put to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LitmusModel {
    /// The kernel's own model, by brute force.
    Kernel,
    /// A model of the graph engine.
    Graph(Model),
}

impl LitmusModel {
    /// Its name on the command line and in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "lkmm",
            Self::Graph(Model::Lkmm) => BY_GRAPHS,
            Self::Graph(model) => model.name(),
        }
    }
}

impl FromStr for LitmusModel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == Self::Kernel.name() {
            return Ok(Self::Kernel);
        }
        if name == BY_GRAPHS {
            return Ok(Self::Graph(Model::Lkmm));
        }
        let unknown =
            |_| format!("unknown memory model {name:?} (known: sc, tso, rc11, lkmm, lkmm-graph)");
        name.parse().map(Self::Graph).map_err(unknown)
    }
}
