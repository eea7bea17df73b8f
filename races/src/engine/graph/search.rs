//! From a walk through graphs to a verdict: counting, limits, watching, threads.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::estimate::Estimator;
use super::explore::{Explorer, Extended, Level};
<<<<<<< HEAD
use super::frontier::Frontier;
=======
use super::frontier::{EndIfPanicking, Frontier, Piece};
use super::ledger::Place;
use super::met::Met;
>>>>>>> aab222f (Graph engine: threads split a search at its oldest choice; results in one thread's order; estimates)
use super::model::Axioms;
use super::sightings::{Sightings, fingerprint};
use super::trace::counterexample;
use crate::engine::Search;
use crate::program::{End, Program, Returned};
use crate::progress::{Estimate, Pace};
use crate::tally::Tally;
use crate::verdict::{Counterexample, Cut, Exploration, Verdict, Violation};

/// Where the estimate's random numbers begin. Any number would do.
const SEED: u64 = 0x6775_7063_6865_636b;
/// How many probes a search that was cut short is estimated by, if there is time.
const PROBES: u32 = 256;
/// How long that may take.
const PROBING: Duration = Duration::from_millis(500);

/// Explores `program` under the model `A` with so many threads.
pub(super) fn run<A: Axioms>(
    program: &Arc<Program>,
    search: &Search<'_>,
    jobs: NonZeroUsize,
) -> Exploration {
    let began = Instant::now();
    let mut first = Level::<A>::default();
    first.reset(program);
<<<<<<< HEAD
    let frontier = Arc::new(Frontier::new(first));
    let work = || Walk::new(program, search, &frontier, began, jobs).run();
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
=======
    let frontier = Frontier::new(first);
    let sightings = Sightings::new(search.watch);
    let estimator = (sightings.wants_estimate()).then(|| Estimator::new(program, SEED));
    let walk = |estimator| {
        let _guard = EndIfPanicking(&frontier);
        Walk::new(program, search, (&frontier, &sightings), began, estimator).run()
    };
    let (estimator, met) = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..jobs.get())
            .map(|_| scope.spawn(|| walk(None).1))
            .collect();
        let (estimator, met) = walk(estimator);
        let theirs = helpers.into_iter().map(|helper| match helper.join() {
            Ok(met) => met,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        (estimator, theirs.fold(met, Met::and))
    });
    let elapsed = began.elapsed();
    let (tally, found, cut) = frontier.into_result();
    let verdict = verdict(program, &tally, found, cut, met);
    let estimate = match verdict {
        Verdict::Truncated(Cut::KnownGap(_)) => None,
        Verdict::Truncated(_) => estimator.and_then(finished),
        _ => None,
    };
>>>>>>> aab222f (Graph engine: threads split a search at its oldest choice; results in one thread's order; estimates)
    Exploration {
        verdict,
        executions: tally.executions,
        blocked: tally.blocked,
        outcomes: tally.outcomes,
        estimate,
        elapsed,
        remarks: Vec::new(),
    }
}

fn verdict(
    program: &Program,
    tally: &Tally,
    found: Option<Box<Counterexample>>,
    cut: Option<Cut>,
    met: Met,
) -> Verdict {
    if let Some(mut found) = found {
        found.execution = tally.executions;
        return Verdict::Failed(found);
    }
    if let Some(cut) = cut {
        return Verdict::Truncated(cut);
    }
    if met.is_the_gap() {
        return Verdict::Truncated(Cut::KnownGap(
            "shared locks together with waiting on memory, of which it misses a graph now and then",
        ));
    }
    verdict_of_all(tally, program)
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

/// The estimate of a search that is over, after as many probes more as it takes.
fn finished<A: Axioms>(mut estimator: Estimator<A>) -> Option<Estimate> {
    let began = Instant::now();
    while estimator.probes() < PROBES && began.elapsed() < PROBING {
        estimator.sample();
    }
    estimator.estimate()
}

/// How the search of a piece ended.
enum Ended {
    /// Everything in it was searched, or it has become void.
    Done,
    /// It was cut short, for this reason or for another thread's.
    Cut(Option<Cut>),
    /// An execution breaks a rule.
    Violated(Box<Counterexample>),
}

/// One thread's part of a search.
struct Walk<'s, A> {
    explorer: Explorer<A>,
    frontier: &'s Frontier<A>,
    sightings: &'s Sightings<'s>,
    search: &'s Search<'s>,
    began: Instant,
    pace: Pace,
    estimator: Option<Estimator<A>>,
    returned: Vec<Returned>,
    /// Fingerprints of outcomes that were new and are not told yet.
    fresh: Vec<u64>,
    /// The piece that is searched, and how many pieces were cut off it.
    place: Place,
    gifts: u32,
    tally: Tally,
}

impl<'s, A: Axioms> Walk<'s, A> {
    fn new(
        program: &Arc<Program>,
        search: &'s Search<'s>,
        (frontier, sightings): (&'s Frontier<A>, &'s Sightings<'s>),
        began: Instant,
        estimator: Option<Estimator<A>>,
    ) -> Self {
        Self {
            explorer: Explorer::new(program),
            frontier,
            sightings,
            search,
            began,
            pace: Pace::default(),
            estimator,
            returned: Vec::new(),
            fresh: Vec::new(),
            place: Place::default(),
            gifts: 0,
            tally: Tally::default(),
        }
    }

<<<<<<< HEAD
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
=======
    /// Searches pieces until there are none.
    fn run(mut self) -> (Option<Estimator<A>>, Met) {
        while let Some(Piece { place, level }) = self.frontier.take() {
            (self.place, self.gifts) = (place, 0);
            let ended = self.piece(level);
            let tally = std::mem::take(&mut self.tally);
            match ended {
                Ended::Done => self.frontier.finish(&self.place, tally),
                Ended::Violated(found) => self.frontier.violate(&self.place, tally, found),
                Ended::Cut(why) => {
                    why.into_iter().for_each(|why| self.frontier.cut(why));
                    self.frontier.finish(&self.place, tally);
                }
>>>>>>> aab222f (Graph engine: threads split a search at its oldest choice; results in one thread's order; estimates)
            }
        }
<<<<<<< HEAD
        (self.tally, None)
=======
        (self.estimator, self.explorer.met)
>>>>>>> aab222f (Graph engine: threads split a search at its oldest choice; results in one thread's order; estimates)
    }

    fn piece(&mut self, level: Level<A>) -> Ended {
        let has_choice = !level.entries.is_empty();
        self.explorer.adopt(level);
        // A piece that was cut off has a choice to take before it can be extended.
        if has_choice && !self.explorer.advance() {
            return Ended::Done;
        }
        // None yet: it may have become void while it waited.
        let mut violations = 0;
        loop {
            if let Some(cut) = self.cut() {
                return Ended::Cut(Some(cut));
            }
            if self.frontier.has_ended() {
                return Ended::Cut(None);
            }
            if self.frontier.violations() != violations {
                violations = self.frontier.violations();
                if !self.frontier.is_wanted(&self.place) {
                    return Ended::Done;
                }
            }
            if let Some(ended) = self.execution() {
                return ended;
            }
            if self.frontier.is_hungry() {
                self.give();
            }
            if !self.explorer.backtrack() {
                return Ended::Done;
            }
        }
    }

    /// Gives the oldest choices that are left to somebody else.
    fn give(&mut self) {
        if let Some(level) = self.explorer.split() {
            let place = self.place.of_gift(self.gifts);
            self.gifts += 1;
            self.frontier.give(Piece { place, level });
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

    /// Goes on to the end of an execution, and records it; how the piece ended if that ends it.
    fn execution(&mut self) -> Option<Ended> {
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
        if let Some(limit) = (self.search.limits.executions).filter(|&limit| number > limit) {
            return Some(Ended::Cut(Some(Cut::Executions(limit))));
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
        Some(Ended::Violated(Box::new(told)))
    }

    fn report(&mut self, executions: u64) {
        if self.pace.is_due() {
            let estimate = self.estimator.as_mut().and_then(|estimator| {
                estimator.sample();
                estimator.estimate()
            });
            self.sightings.tell(executions, &mut self.fresh, estimate);
        }
    }

    fn record(&mut self) -> Result<(), Violation> {
        self.explorer.returned(&mut self.returned);
        let program = &self.explorer.program;
        let graph = &self.explorer.level().graph;
        let memory = |cell| graph.last_value(cell);
        let end = End::new(&self.returned, &memory);
        let before = self.tally.outcomes.len();
        let judged = self.tally.record(program, &end);
        if self.tally.outcomes.len() > before {
            let observed = program.observed().iter().map(|&cell| end.word(cell));
            self.fresh.push(fingerprint(&end, observed));
        }
        judged
    }
}
