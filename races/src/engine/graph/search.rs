//! From a walk through graphs to a verdict: counting, limits, watching, threads.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use super::explore::{Explorer, Extended};
use super::frontier::Frontier;
use super::level::Level;
use super::model::Axioms;
use super::trace::counterexample;
use super::{GraphEngine, Reductions};
use crate::engine::{Search, panics};
use crate::program::{End, Program, Returned};
use crate::progress::{Pace, Sighting};
use crate::tally::Tally;
use crate::verdict::{Counterexample, Cut, Exploration, Verdict, Violation};

/// Explores `program` under the model `A` with so many threads.
pub(super) fn run<A: Axioms>(
    program: &Arc<Program>,
    search: &Search<'_>,
    GraphEngine { jobs, reductions }: GraphEngine,
) -> Exploration {
    let began = Instant::now();
    let mut first = Level::<A>::default();
    first.reset(program, reductions.twins(program));
    let frontier = Arc::new(Frontier::new(first));
    let work = || {
        // CPUs are caught one by one: whatever else panics is a defect of the engine.
        let walk = || Walk::new(program, search, &frontier, began, (jobs, reductions)).run();
        panics::isolated(walk).unwrap_or_else(|caught| {
            let words = caught.words();
            std::panic::panic_any(words)
        })
    };
    let mut tally = Tally::default();
    let mut ended = None;
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..jobs.get()).map(|_| scope.spawn(work)).collect();
        let mut all = vec![work()];
        all.extend(helpers.into_iter().map(|helper| match helper.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        for (theirs, verdict) in all {
            tally.absorb(theirs);
            ended = ended.take().or(verdict);
        }
    });
    let verdict = ended.unwrap_or_else(|| verdict_of_all(&tally, program));
    Exploration {
        verdict,
        executions: tally.executions,
        blocked: tally.blocked,
        outcomes: tally.outcomes,
        elapsed: began.elapsed(),
        remarks: reductions.remarks(program),
    }
}

/// The verdict when everything was seen and nothing is broken.
fn verdict_of_all(tally: &Tally, program: &Program) -> Verdict {
    tally.complete(program).unwrap_or_else(|violation| {
        Verdict::Failed(Box::new(Counterexample {
            violation,
            trace: Vec::new(),
            memory: Vec::new(),
            returned: Vec::new(),
            execution: tally.executions,
        }))
    })
}

/// One thread's part of a search.
struct Walk<'s, A> {
    explorer: Explorer<A>,
    frontier: &'s Frontier<A>,
    search: &'s Search<'s>,
    began: Instant,
    pace: Pace,
    returned: Vec<Returned>,
    /// The ways to exchange twins, where of these executions only one is explored.
    exchanges: Vec<Vec<usize>>,
    tally: Tally,
}

impl<'s, A: Axioms> Walk<'s, A> {
    fn new(
        program: &Arc<Program>,
        search: &'s Search<'s>,
        frontier: &'s Arc<Frontier<A>>,
        began: Instant,
        (jobs, reductions): (NonZeroUsize, Reductions),
    ) -> Self {
        let mut explorer = Explorer::new(program, reductions);
        explorer.frontier = (jobs.get() > 1).then(|| Arc::clone(frontier));
        Self {
            explorer,
            frontier,
            search,
            began,
            pace: Pace::default(),
            returned: Vec::new(),
            exchanges: reductions.twins(program).exchanges(program.cpus().len()),
            tally: Tally::default(),
        }
    }

    /// Searches levels until there are none. The verdict is this thread's, if it ended the search.
    fn run(mut self) -> (Tally, Option<Verdict>) {
        while let Some(level) = self.frontier.take() {
            let waits = !level.entries.is_empty();
            self.explorer.adopt(level);
            // A level that a write's revisit made has a choice to take before it can be extended.
            let is_possible = !waits || self.explorer.advance();
            let ended = if is_possible { self.level() } else { None };
            if let Some(verdict) = ended {
                let is_first = self.frontier.end();
                return (self.tally, is_first.then_some(verdict));
            }
            self.frontier.finish();
        }
        (self.tally, None)
    }

    /// Searches one level; a verdict if that ends the whole search.
    fn level(&mut self) -> Option<Verdict> {
        loop {
            if let Some(cut) = self.cut() {
                return Some(Verdict::Truncated(cut));
            }
            if self.frontier.has_ended() {
                return None;
            }
            if let Some(verdict) = self.execution() {
                return Some(verdict);
            }
            if !self.explorer.backtrack() {
                return None;
            }
        }
    }

    /// Why the search must stop before its next execution.
    fn cut(&self) -> Option<Cut> {
        let limits = self.search.limits;
        if let Some(limit) = limits.time.filter(|&limit| self.began.elapsed() >= limit) {
            return Some(Cut::Time(limit));
        }
        self.search.stop.is_requested().then_some(Cut::Interrupted)
    }

    /// Goes on to the end of an execution, and records it; a verdict if that ends the whole search.
    fn execution(&mut self) -> Option<Verdict> {
        let extended = self.explorer.extend();
        match extended {
            Extended::Doomed => return None,
            Extended::Blocked => {
                self.tally.blocked += 1;
                return None;
            }
            Extended::Complete | Extended::Violated(..) => {}
        }
        let number = self.frontier.count();
        if let Some(limit) = self
            .search
            .limits
            .executions
            .filter(|&limit| number > limit)
        {
            return Some(Verdict::Truncated(Cut::Executions(limit)));
        }
        let (violation, blame) = match extended {
            Extended::Violated(violation, blame) => {
                self.tally.executions += 1;
                (violation, blame)
            }
            _ => match self.record() {
                Ok(()) => {
                    self.report(number);
                    return None;
                }
                Err(violation) => (violation, Vec::new()),
            },
        };
        let told = counterexample(&mut self.explorer, violation, &blame, number);
        Some(Verdict::Failed(Box::new(told)))
    }

    fn report(&mut self, executions: u64) {
        if self.pace.is_due() {
            self.search.watch.sighting(&Sighting {
                executions,
                outcomes: self.tally.outcomes.len(),
                estimate: None,
                stage: None,
            });
        }
    }

    fn record(&mut self) -> Result<(), Violation> {
        self.explorer.returned(&mut self.returned);
        let graph = &self.explorer.level().graph;
        let memory = |cell| graph.last_value(cell);
        let end = End::new(&self.returned, &memory);
        let (tally, program) = (&mut self.tally, &self.explorer.program);
        let exchanges = &self.exchanges;
        let recorded = || {
            tally.record(program, &end)?;
            (exchanges.iter())
                .try_for_each(|exchange| tally.record_exchanged(program, &end, exchange))
        };
        panics::isolated(recorded).unwrap_or_else(|caught| {
            Err(Violation::Panic {
                message: caught.words(),
            })
        })
    }
}
