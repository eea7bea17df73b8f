//! One execution that breaks a rule, as a value.

use crate::returned::Returned;
use crate::schedule::Schedule;
use crate::shrink::Shrinking;
use crate::violation::Violation;
use gupcheck_sync::Event;

/// One execution that breaks a rule, as a value.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What it breaks.
    pub violation: Violation,
    /// Everything that happened, in an order in which it could have happened.
    pub trace: Vec<Event>,
    /// The last value of each cell, indexed by [`CellId`](gupcheck_sync::CellId).
    pub memory: Vec<u64>,
    /// What each CPU returned, if it did before the violation; in the order of the CPUs. Empty where
    /// the engine does not know.
    pub returned: Vec<Option<Returned>>,
    /// Which execution of the search this was, counted from 1.
    pub execution: u64,
    /// How the same engine comes to it again; `None` where it cannot.
    pub schedule: Option<Schedule>,
    /// How much smaller it is than what the search came to; `None` where nobody tried to make it so.
    pub shrinking: Option<Shrinking>,
}

impl Counterexample {
    /// A violation of which nothing more is known than that it is there.
    pub fn bare(violation: Violation, execution: u64) -> Self {
        Self {
            violation,
            trace: Vec::new(),
            memory: Vec::new(),
            returned: Vec::new(),
            execution,
            schedule: None,
            shrinking: None,
        }
    }
}
