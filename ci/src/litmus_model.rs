//! The memory models that a litmus test can be put to.

use std::str::FromStr;

use gupcheck_program::Model;

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
        let unknown = |_| format!("unknown memory model {name:?} (known: sc, tso, rc11, lkmm)");
        name.parse().map(Self::Graph).map_err(unknown)
    }
}
