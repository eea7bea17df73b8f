//! From a walk through graphs to a verdict: counting, limits, watching.

use std::sync::Arc;
use std::time::Instant;

use super::explore::{Explorer, Extended};
use super::model::Axioms;
use super::trace::counterexample;
use crate::engine::Search;
use crate::program::{End, Program, Returned};
use crate::progress::{Pace, Sighting};
use crate::tally::Tally;
use crate::verdict::{Counterexample, Cut, Exploration, Verdict, Violation};

/// Explores `program` under the model `A`.
pub(super) fn run<A: Axioms>(program: &Arc<Program>, search: &Search<'_>) -> Exploration {
    let began = Instant::now();
    let mut tally = Tally::default();
    let mut walk = Walk {
        explorer: Explorer::<A>::new(program),
        search,
        began,
        pace: Pace::default(),
        returned: Vec::new(),
    };
    let verdict = walk.run(&mut tally);
    Exploration {
        verdict,
        executions: tally.executions,
        blocked: tally.blocked,
        outcomes: tally.outcomes,
        elapsed: began.elapsed(),
        remarks: Vec::new(),
    }
}

struct Walk<'s, A> {
    explorer: Explorer<A>,
    search: &'s Search<'s>,
    began: Instant,
    pace: Pace,
    returned: Vec<Returned>,
}

impl<A: Axioms> Walk<'_, A> {
    fn run(&mut self, tally: &mut Tally) -> Verdict {
        loop {
            if let Some(cut) = self.cut(tally) {
                return Verdict::Truncated(cut);
            }
            if let Err(found) = self.execution(tally) {
                return Verdict::Failed(found);
            }
            if self.pace.is_due() {
                self.search.watch.sighting(&Sighting {
                    executions: tally.executions,
                    outcomes: tally.outcomes.len(),
                    estimate: None,
                    stage: None,
                });
            }
            if !self.explorer.backtrack() {
                break;
            }
        }
        tally
            .complete(&self.explorer.program)
            .unwrap_or_else(|violation| {
                Verdict::Failed(Box::new(Counterexample {
                    violation,
                    trace: Vec::new(),
                    memory: Vec::new(),
                    returned: Vec::new(),
                    execution: tally.executions,
                }))
            })
    }

    /// Why the search must stop before its next execution.
    fn cut(&self, tally: &Tally) -> Option<Cut> {
        let limits = self.search.limits;
        if let Some(limit) = limits.executions.filter(|&limit| tally.executions >= limit) {
            return Some(Cut::Executions(limit));
        }
        if let Some(limit) = limits.time.filter(|&limit| self.began.elapsed() >= limit) {
            return Some(Cut::Time(limit));
        }
        self.search.stop.is_requested().then_some(Cut::Interrupted)
    }

    /// Goes on to the end of an execution, and records it.
    fn execution(&mut self, tally: &mut Tally) -> Result<(), Box<Counterexample>> {
        let (violation, blame) = match self.explorer.extend() {
            Extended::Blocked => {
                tally.blocked += 1;
                return Ok(());
            }
            Extended::Doomed => return Ok(()),
            Extended::Violated(violation, blame) => {
                tally.executions += 1;
                (violation, blame)
            }
            Extended::Complete => match self.record(tally) {
                Ok(()) => return Ok(()),
                Err(violation) => (violation, Vec::new()),
            },
        };
        let explorer = &mut self.explorer;
        let told = counterexample(explorer, violation, &blame, tally.executions);
        Err(Box::new(told))
    }

    fn record(&mut self, tally: &mut Tally) -> Result<(), Violation> {
        self.explorer.returned(&mut self.returned);
        let graph = &self.explorer.level().graph;
        let memory = |cell| graph.last_value(cell);
        tally.record(&self.explorer.program, &End::new(&self.returned, &memory))
    }
}
