//! What distinguishes one execution's result from another's.

use std::collections::HashMap;
use std::fmt;

use crate::program::Program;
use crate::returned::Returned;
use gupcheck_sync::{LaneId, Op};

/// What distinguishes one execution's result from another's: what each CPU returned, and the last
/// values of the observed cells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Outcome {
    /// What each CPU returned, in the order of the CPUs.
    pub returned: Vec<Returned>,
    /// The observed cells' last values, in the order of
    /// [`Program::observed`].
    pub observed: Vec<u64>,
}

impl Outcome {
    /// The outcome in one line, with the names that `program` gives.
    pub fn shown<'a>(&'a self, program: &'a Program) -> impl fmt::Display + 'a {
        struct Shown<'a>(&'a Outcome, &'a Program);
        impl fmt::Display for Shown<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self(outcome, program) = self;
                let mut separator = "";
                for (cpu, returned) in program.cpus().iter().zip(&outcome.returned) {
                    write!(f, "{separator}{}: {returned}", cpu.name)?;
                    separator = "; ";
                }
                for (&cell, &word) in program.observed().iter().zip(&outcome.observed) {
                    let decl = program.layout().decl(cell);
                    write!(f, "{separator}{}={}", decl.name, decl.shown(word))?;
                    separator = "; ";
                }
                Ok(())
            }
        }
        Shown(self, program)
    }
}

/// How often each distinct outcome was seen.
pub type Outcomes = HashMap<Outcome, u64>;

/// Of the executions that could not end: who waited for what, and in how many.
pub type Stuck = HashMap<Vec<(LaneId, Op)>, u64>;
