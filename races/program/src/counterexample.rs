//! One execution that breaks a rule, as a value.

use crate::panics::isolated;
use crate::program::{End, Program};
use crate::returned::Returned;
use crate::schedule::Schedule;
use crate::shrink::Shrinking;
use crate::violation::Violation;
use gupcheck_sync::{CellId, Event};

/// One execution that breaks a rule, as a value.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What it breaks: of several properties the first that the program states. A race states its own first, so that what is
    /// told is what the race is about.
    pub violation: Violation,
    /// What a CPU claims that was not so (the program's [witness](crate::Program::witness)), if that is broken beside another
    /// property, and the engine knows of it.
    pub denial: Option<Violation>,
    /// Everything that happened, in an order in which it could have happened.
    pub trace: Vec<Event>,
    /// The last value of each cell, indexed by [`CellId`].
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
            denial: None,
            trace: Vec::new(),
            memory: Vec::new(),
            returned: Vec::new(),
            execution,
            schedule: None,
            shrinking: None,
        }
    }

    /// The other properties that the same execution breaks, in words; none where it ends before its CPUs do.
    pub fn also_broken(&self, program: &Program) -> Vec<String> {
        let cells = program.layout().cells().len();
        let Violation::Property { index, .. } = self.violation else {
            return Vec::new();
        };
        if (self.memory.len(), self.returned.len()) != (cells, program.cpus().len()) {
            return Vec::new(); // how it ended is not known
        }
        // A CPU that was never started has returned nothing.
        let returned: Vec<Returned> = (self.returned.iter())
            .map(|returned| returned.clone().unwrap_or_default())
            .collect();
        let memory = |cell: CellId| self.memory[cell.index()];
        // No property is asked anything where an earlier one is broken, and may not be made for such an end.
        let broken = isolated(|| program.broken(&End::new(&returned, &memory)));
        let others = broken.unwrap_or_default().into_iter();
        let mut words: Vec<String> = others
            .filter_map(|(nth, words)| (nth != index).then_some(words))
            .collect();
        if let Some(Violation::Property { text, .. }) = &self.denial {
            words.push(text.clone());
        }
        words
    }
}
