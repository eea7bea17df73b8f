//! Memory models, by name.

use std::fmt;
use std::str::FromStr;

/// A memory model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Sequential consistency.
    Sc,
    /// Total store order: x86.
    Tso,
    /// Repaired C11, with SC fences and without SC accesses.
    Rc11,
    /// The Linux kernel's own, LKMM; where an engine explores it, without load buffering.
    Lkmm,
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
            Self::Lkmm => "lkmm",
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
#[error("unknown memory model {0:?} (known: sc, tso, rc11, lkmm)")]
pub struct UnknownModel(String);

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Sc, Self::Tso, Self::Rc11, Self::Lkmm]
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| UnknownModel(name.to_owned()))
    }
}
