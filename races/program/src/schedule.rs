//! A schedule: the choices that lead to one execution.

use serde::{Deserialize, Serialize};

/// The choices that lead to one execution, as the engine that made them understands them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// The graph engine: the operations of all CPUs in an order in which each comes after what it reads from,
    /// and where each stands in its cell's coherence order.
    Graph(Vec<Choice>),
    /// loom: its path.
    Loom(Path),
    /// An engine that only chooses who runs: the CPU, by its index, at each point where it chooses.
    Cpus(Vec<u8>),
}

/// One operation in a graph engine's schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The CPU, by its index.
    pub lane: u8,
    /// How many of the writes that are there already come, in the cell's coherence order, after the one that
    /// it reads, or after the place where it writes. 0, nearly always, is the newest. For entering a section: how many
    /// more waits of each CPU come before it, two bits for each.
    pub back: u32,
}

/// One execution of loom's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The CPU whose thread was made first.
    pub first: u8,
    /// What loom decided, in order.
    pub decisions: Vec<Decision>,
}

/// One decision of loom's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Which of its threads runs; 0 is the one that makes the objects.
    Run(u8),
    /// Which of the stores that it remembers a load reads.
    Read(u8),
    /// Whether somebody wakes up for nothing.
    Spurious(bool),
}

impl Schedule {
    /// The version of what made it: this crate's, and the engine's where that is another crate.
    pub const fn version(&self) -> &'static str {
        match self {
            Self::Graph(_) => env!("CARGO_PKG_VERSION"),
            Self::Cpus(_) => concat!(env!("CARGO_PKG_VERSION"), "+shuttle-0.9.9"),
            Self::Loom(_) => concat!(env!("CARGO_PKG_VERSION"), "+loom-0.7.3"),
        }
    }
}
