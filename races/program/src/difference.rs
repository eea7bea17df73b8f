//! Two things that a CPU did after the very same values.

use crate::returned::Returned;
use gupcheck_sync::{Fault, LaneId, Op, Site};

/// What a CPU did at one point of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// It asked for an operation.
    Asked(Op, Site),
    /// It returned.
    Returned(Returned),
    /// It noticed a broken rule.
    Faulted(Fault, Site),
    /// It panicked, with this message.
    Panicked(String),
    /// Its stack was used up.
    Deep,
}

/// A CPU that is not a function of what it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which CPU.
    pub lane: LaneId,
    /// At which of its operations, counted from 1.
    pub nth: usize,
    /// What it did the first time.
    pub was: Did,
    /// What it did another time.
    pub then: Did,
}
