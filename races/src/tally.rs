//! The running account of an exploration, kept the same way by every engine.

use std::collections::HashMap;
use std::fmt;

use crate::program::{End, Program, Returned, When};
use crate::verdict::{Verdict, Violation};

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

/// The running account of one exploration.
#[derive(Debug, Default)]
pub struct Tally {
    /// Executions recorded.
    pub executions: u64,
    /// Executions in which somebody waited for what never came.
    pub blocked: u64,
    /// Outcomes seen.
    pub outcomes: Outcomes,
    seen: u64,
}

impl Tally {
    /// Records the end of an execution, and judges it.
    ///
    /// # Errors
    /// The `always` property that it breaks.
    pub fn record(&mut self, program: &Program, end: &End<'_>) -> Result<(), Violation> {
        self.executions += 1;
        self.record_end(program, end)
    }

    /// Records and judges how the execution recorded last would have ended if its CPUs had exchanged places: `exchange`
    /// gives for each CPU who takes its place. Nothing happens where that makes no difference.
    ///
    /// # Errors
    /// The `always` property that is broken then.
    pub fn record_exchanged(
        &mut self,
        program: &Program,
        end: &End<'_>,
        exchange: &[usize],
    ) -> Result<(), Violation> {
        let returned: Vec<_> = (exchange.iter())
            .map(|&cpu| end.all_returned()[cpu].clone())
            .collect();
        if returned == end.all_returned() {
            return Ok(());
        }
        let memory = |cell| end.word(cell);
        self.record_end(program, &End::new(&returned, &memory))
    }

    fn record_end(&mut self, program: &Program, end: &End<'_>) -> Result<(), Violation> {
        let outcome = Outcome {
            returned: end.all_returned().to_vec(),
            observed: program.observed().iter().map(|&c| end.word(c)).collect(),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        match program.judge(end) {
            Ok(seen) => {
                self.seen |= seen;
                Ok(())
            }
            Err((index, why)) => {
                let text = &program.properties()[index].text;
                let text = if why.is_empty() {
                    text.clone()
                } else {
                    format!("{text}: {why}")
                };
                Err(Violation::Property { index, text })
            }
        }
    }

    /// Adds another account of the same program to this one.
    pub fn absorb(&mut self, other: Self) {
        self.executions += other.executions;
        self.blocked += other.blocked;
        self.seen |= other.seen;
        for (outcome, times) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += times;
        }
    }

    /// The verdict of a search that saw everything and found no violation: `Ok` if every `sometimes`
    /// was seen.
    ///
    /// # Errors
    /// The first `sometimes` property that never held.
    pub fn complete(&self, program: &Program) -> Result<Verdict, Violation> {
        let missing = (program.properties().iter().enumerate())
            .find(|(nth, p)| p.when == When::Sometimes && self.seen & (1 << nth) == 0);
        match missing {
            None => Ok(Verdict::Complete),
            Some((index, property)) => Err(Violation::Vacuous {
                index,
                text: property.text.clone(),
            }),
        }
    }
}
