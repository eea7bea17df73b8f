//! The running account of an exploration, kept the same way by every engine.

use crate::outcome::{Outcome, Outcomes, Stuck};
use crate::program::{End, Program, When};
use crate::returned::Returned;
use crate::violation::Violation;
use gupcheck_sync::{LaneId, Op};

/// The running account of one exploration.
#[derive(Debug, Default)]
pub struct Tally {
    /// Executions recorded.
    pub executions: u64,
    /// Executions in which somebody waited for what never came.
    pub blocked: u64,
    /// Who waited for what in these, and in how many.
    pub stuck: Stuck,
    /// Outcomes seen.
    pub outcomes: Outcomes,
    /// Executions with a data race that ends nothing.
    pub races: u64,
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

    /// Records an execution that cannot end: who waits, and for what.
    pub fn record_blocked(&mut self, waiting: Vec<(LaneId, Op)>) {
        self.blocked += 1;
        *self.stuck.entry(waiting).or_default() += 1;
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
            returned: (end.all_returned().iter())
                .map(Returned::without_aside)
                .collect(),
            observed: program.observed().iter().map(|&c| end.word(c)).collect(),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        if program.leaves_out(end) {
            return Ok(());
        }
        match program.judge(end) {
            Ok(seen) => {
                self.seen |= seen;
                Ok(())
            }
            Err((index, why)) => {
                let text = program.properties()[index].broken(&why);
                Err(Violation::Property { index, text })
            }
        }
    }

    /// Adds another account of the same program to this one.
    pub fn absorb(&mut self, other: Self) {
        self.executions += other.executions;
        self.blocked += other.blocked;
        self.races += other.races;
        self.seen |= other.seen;
        for (waiting, times) in other.stuck {
            *self.stuck.entry(waiting).or_default() += times;
        }
        for (outcome, times) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += times;
        }
    }

    /// What a search that saw everything, and found no violation, has to say: nothing, if every `sometimes` was
    /// seen.
    ///
    /// # Errors
    /// The first `sometimes` property that never held.
    pub fn complete(&self, program: &Program) -> Result<(), Violation> {
        let missing = (program.properties().iter().enumerate())
            .find(|(nth, p)| p.when == When::Sometimes && self.seen & (1 << nth) == 0);
        match missing {
            None => Ok(()),
            Some((index, property)) => Err(Violation::Vacuous {
                index,
                text: property.text.clone(),
            }),
        }
    }
}
