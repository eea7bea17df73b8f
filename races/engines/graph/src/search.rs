//! From a walk through graphs to a verdict: counting, limits, watching, threads.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::GraphEngine;
use super::bookmark::Bookmark;
use super::conclusion::{remarks, verdict};
use super::estimate::{ENOUGH, Estimator};
use super::expand::expanded;
use super::explore::{Explorer, Extended};
use super::frontier::{EndIfPanicking, Frontier, LeftOff, Piece};
use super::id::EventId;
use super::ledger::Place;
use super::level::Level;
use super::minimise::minimised;
use super::model::Axioms;
use super::replay::followed;
use super::resume::Next;
use super::sightings::{Sightings, fingerprint};
use super::silence::silently;
use super::touches::Foresight;
use super::trace::counterexample;
use super::twins::Twins;
use super::waits::{Unforeseen, too_many_waits};
use gupcheck_program::{
    Counterexample, Cut, End, Estimate, Exploration, Pace, Program, Returned, Search, Tally,
    Verdict, Violation, means, panics,
};
use gupcheck_sync::CellId;

/// Where the estimate's random numbers begin. Any number would do.
const SEED: u64 = 0x6775_7063_6865_636b;
/// How long it may take to send the probes that a search that was cut short is estimated by.
const PROBING: Duration = Duration::from_secs(1);

/// Explores `program` under the model `A`.
pub(super) fn run<A: Axioms>(
    program: &Arc<Program>,
    search: &Search<'_>,
    engine: GraphEngine,
) -> Exploration {
    let began = Instant::now();
    let mut foresight = Foresight::none(program, A::is_fence);
    let mut left_off = LeftOff::beginning();
    loop {
        match attempt::<A>(program, search, engine, &foresight, (began, left_off)) {
            Ok(exploration) => return *exploration,
            Err((what, left)) if what.is_no_loss() => {
                foresight = foresight.learnt();
                left_off = left;
            }
            Err((what, _)) => {
                let Some(waits) = foresight.waits.with(what) else {
                    return Exploration::unsupported(too_many_waits());
                };
                foresight = foresight.with_waits(&waits);
                left_off = LeftOff::beginning();
            }
        }
    }
}

/// Goes on with the exploration of `program`, to its end, or to what was not foreseen.
fn attempt<A: Axioms>(
    program: &Arc<Program>,
    search: &Search<'_>,
    engine: GraphEngine,
    foresight: &Foresight,
    (began, left_off): (Instant, LeftOff),
) -> Result<Box<Exploration>, (Unforeseen, LeftOff)> {
    let reductions = engine.reductions;
    let waits = &foresight.waits;
    let jobs = if foresight.surveys {
        1
    } else {
        engine.jobs.get()
    };
    let frontier = Frontier::<A>::new(left_off);
    let sightings = Sightings::new(search.watch);
    let walk = |wants_estimate| {
        let _guard = EndIfPanicking(&frontier);
        let walk = || {
            let shared = (&frontier, &sightings);
            let clocks = (began, wants_estimate);
            Walk::new(program, search, engine, foresight, shared, clocks).run()
        };
        silently(walk)
    };
    let estimator = std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..jobs)
            .map_while(|_| {
                // With fewer threads than were asked for it takes longer, and finds the same.
                (means::thread_of(means::THREAD_BYTES))
                    .spawn_scoped(scope, || drop(walk(false)))
                    .ok()
            })
            .collect();
        let estimator = walk(sightings.wants_estimate());
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
        estimator
    });
    let elapsed = began.elapsed();
    if let Some(what) = frontier.unforeseen()
        && !(what.is_no_loss() && frontier.is_cut())
    {
        return Err((what, frontier.into_left_off()));
    }
    let (tally, found, cut) = frontier.into_result();
    let found = found.map(|found| silently(|| minimised::<A>(program, found)));
    let verdict = verdict(program, &tally, found, cut);
    let is_cut = matches!(verdict, Verdict::Truncated(_));
    Ok(Box::new(Exploration {
        verdict,
        executions: tally.executions,
        states: None,
        blocked: tally.blocked,
        stuck: tally.stuck,
        outcomes: tally.outcomes,
        races: tally.races,
        estimate: (estimator.filter(|_| is_cut).map(finished))
            .map(|estimate| estimate.beyond(tally.executions)),
        elapsed,
        remarks: remarks::<A>(reductions, program, waits),
    }))
}

/// The estimate of a search that is over, after as many probes more as it takes.
fn finished<A: Axioms>(mut estimator: Estimator<A>) -> Estimate {
    let began = Instant::now();
    while estimator.probes() < ENOUGH && began.elapsed() < PROBING {
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
    /// It is to be gone on with there, for this reason or for another thread's.
    Left(Option<Unforeseen>, Bookmark),
    /// An execution breaks a rule.
    Violated(Box<Counterexample>),
}

/// One thread's part of a search.
struct Walk<'s, A> {
    explorer: Explorer<A>,
    /// How many graphs more to look at, if that is all this is for.
    left_to_survey: Option<u64>,
    frontier: &'s Frontier<A>,
    sightings: &'s Sightings<'s>,
    search: &'s Search<'s>,
    began: Instant,
    pace: Pace,
    estimator: Option<Estimator<A>>,
    returned: Vec<Returned>,
    /// The last values of cells whose accesses are no events.
    written: Vec<(CellId, u64)>,
    /// The ways to exchange twins, where of these executions only one is explored.
    exchanges: Vec<Vec<usize>>,
    /// After how many executions a piece is cut off whether or not somebody wants it.
    cuts: Option<NonZeroU64>,
    /// How many distinct outcomes of a piece are kept.
    most_outcomes: Option<NonZeroUsize>,
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
        engine: GraphEngine,
        foresight: &Foresight,
        (frontier, sightings): (&'s Frontier<A>, &'s Sightings<'s>),
        (began, wants_estimate): (Instant, bool),
    ) -> Self {
        let waits = &foresight.waits;
        let estimator = || Estimator::new(program, engine.reductions, waits, SEED);
        Self {
            explorer: Explorer::new(program, engine.reductions, foresight),
            left_to_survey: foresight.surveys.then_some(engine.survey),
            frontier,
            sightings,
            search,
            began,
            pace: Pace::default(),
            estimator: wants_estimate.then(estimator),
            returned: Vec::new(),
            written: Vec::new(),
            exchanges: Twins::under(engine.reductions, program, waits)
                .exchanges(program.cpus().len()),
            cuts: engine.cuts,
            most_outcomes: engine.outcomes,
            fresh: Vec::new(),
            place: Place::default(),
            gifts: 0,
            tally: Tally::default(),
        }
    }

    /// Searches pieces until there are none.
    fn run(mut self) -> Option<Estimator<A>> {
        while let Some(piece) = self.frontier.take() {
            (self.place, self.gifts, self.tally) = (piece.place, piece.gifts, piece.tally);
            let ended = self.piece(piece.level, piece.mark);
            let tally = std::mem::take(&mut self.tally);
            match ended {
                Ended::Left(why, mark) => {
                    if let Some(why) = why {
                        self.frontier.meet(why);
                    }
                    self.frontier.leave(Piece {
                        gifts: self.gifts,
                        tally,
                        ..Piece::new(self.place.clone(), mark, None)
                    });
                }
                Ended::Done => self.frontier.finish(&self.place, tally),
                Ended::Violated(found) => self.frontier.violate(&self.place, tally, found),
                Ended::Cut(why) => {
                    if let Some(why) = why {
                        self.frontier.cut(why);
                    }
                    self.frontier.finish(&self.place, tally);
                }
            }
        }
        self.estimator
    }

    fn left(&self, why: Option<Unforeseen>) -> Ended {
        Ended::Left(why, self.explorer.bookmark())
    }

    fn piece(&mut self, level: Option<Level<A>>, mark: Bookmark) -> Ended {
        let next = match level {
            Some(level) => {
                self.explorer.adopt(level, mark);
                Next::Choice
            }
            None => match self.explorer.resume(&mark) {
                Ok(next) => next,
                Err(why) => return Ended::Left(Some(why), mark),
            },
        };
        let goes_on = match next {
            Next::On => true,
            Next::Choice => self.explorer.advance() || self.explorer.backtrack(),
            Next::Back => self.explorer.backtrack(),
        };
        if !goes_on {
            return Ended::Done;
        }
        // None yet: it may have become void while it waited.
        let mut violations = 0;
        loop {
            if let Some(cut) = self.cut() {
                return Ended::Cut(Some(cut));
            }
            if self.frontier.has_ended() {
                let what = self.frontier.unforeseen();
                let is_no_loss = what.is_some_and(Unforeseen::is_no_loss);
                return if is_no_loss {
                    self.left(None)
                } else {
                    Ended::Cut(None)
                };
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
            if self.frontier.is_hungry() || self.must_cut() {
                self.give();
            }
            if !self.explorer.backtrack() {
                return Ended::Done;
            }
        }
    }

    fn must_cut(&self) -> bool {
        let ends = self.tally.executions + self.tally.blocked;
        self.cuts.is_some_and(|every| ends % every == 0)
    }

    /// Gives the oldest choices that are left to somebody else.
    fn give(&mut self) {
        if let Some((level, mark)) = self.explorer.split() {
            let place = self.place.of_gift(self.gifts);
            self.gifts += 1;
            self.frontier.give(Piece::new(place, mark, Some(level)));
        }
    }

    /// Why the search must stop before its next execution.
    fn cut(&self) -> Option<Cut> {
        let limits = self.search.limits;
        if let Some(limit) = limits.time.filter(|&limit| self.began.elapsed() >= limit) {
            return Some(Cut::Time(limit));
        }
        let outcomes = self.tally.outcomes.len();
        if (self.most_outcomes).is_some_and(|most| outcomes >= most.get()) {
            return Some(Cut::Outcomes(outcomes));
        }
        self.search.stop.is_requested().then_some(Cut::Interrupted)
    }

    /// Goes on to the end of an execution, and records it; how the piece ended if that ends it.
    fn execution(&mut self) -> Option<Ended> {
        if let Some(left) = &mut self.left_to_survey {
            let Some(fewer) = left.checked_sub(1) else {
                return Some(self.left(Some(Unforeseen::Enough)));
            };
            *left = fewer;
        }
        let extended = self.explorer.extend();
        match extended {
            Extended::Doomed => return None,
            Extended::Blocked(waiting) => {
                self.tally.record_blocked(waiting);
                return None;
            }
            Extended::Unforeseen(what) => return Some(self.left(Some(what))),
            Extended::Complete if !self.explorer.level().allows_shadowed() => return None,
            Extended::Complete | Extended::Violated(..) => {}
        }
        let number = self.frontier.count();
        if let Some(limit) = (self.search.limits.executions).filter(|&limit| number > limit) {
            return Some(Ended::Cut(Some(Cut::Executions(limit))));
        }
        let told = match extended {
            Extended::Violated(violation, blame) => {
                self.tally.executions += 1;
                self.counterexample(violation, &blame, &blame, number)
            }
            _ => match self.record() {
                Ok(()) => {
                    self.report(number);
                    return None;
                }
                Err((violation, blame)) => self.counterexample(violation, &blame, &[], number),
            },
        };
        Some(Ended::Violated(Box::new(told)))
    }

    /// The current graph as a counterexample, with the operations that were passed over. Its last events are these, if
    /// any.
    fn counterexample(
        &mut self,
        violation: Violation,
        blame: &[EventId],
        last: &[EventId],
        number: u64,
    ) -> Counterexample {
        if self.left_to_survey.is_some() {
            return counterexample(&mut self.explorer, violation, blame, number);
        }
        let rule = violation.rule(&self.explorer.program);
        let choices = expanded(&mut self.explorer, last);
        // With everything in it, it may break another rule before: that is told then.
        followed::<A>(&self.explorer.program, &choices, number).unwrap_or_else(|| {
            let message = format!(
                "a defect of gupcheck: an execution breaks {rule:?}, and does not when it is told"
            );
            Counterexample::bare(Violation::Panic { message }, number)
        })
    }

    fn report(&mut self, executions: u64) {
        if self.pace.is_due() {
            let estimate = self.estimator.as_mut().map(|estimator| {
                estimator.sample();
                estimator.estimate()
            });
            self.sightings.tell(executions, &mut self.fresh, estimate);
        }
    }

    fn record(&mut self) -> Result<(), (Violation, Vec<EventId>)> {
        self.explorer.returned(&mut self.returned);
        self.explorer.written_alone(&mut self.written);
        let program = &self.explorer.program;
        let level = self.explorer.level();
        let memory = |cell| {
            let alone = self.written.iter().find(|(own, _)| *own == cell);
            alone.map_or_else(|| level.graph.last_value(cell), |&(_, value)| value)
        };
        let end = End::new(&self.returned, &memory);
        let before = self.tally.outcomes.len();
        let (tally, exchanges) = (&mut self.tally, &self.exchanges);
        let recorded = || {
            tally.record(program, &end)?;
            (exchanges.iter())
                .try_for_each(|exchange| tally.record_exchanged(program, &end, exchange))
        };
        let judged = panics::isolated(recorded).unwrap_or_else(|caught| Err(caught.violation()));
        if self.tally.outcomes.len() > before {
            let observed = program.observed().iter().map(|&cell| end.word(cell));
            self.fresh.push(fingerprint(&end, observed));
        }
        judged.map_err(|violation| (violation, Vec::new()))?;
        let is_left_out = || program.leaves_out(&end);
        match level.shadowed_race(program) {
            Some(_) if A::FLAGS_RACES && program.flags_races() => {
                self.tally.races += u64::from(!is_left_out());
            }
            Some(race) if !is_left_out() => return Err(race),
            _ => {}
        }
        let judge = || {
            let denial = level.denied(program, &self.returned, &memory);
            denial.map(|denial| denial.violation)
        };
        match panics::isolated(judge).unwrap_or_else(|caught| Some(caught.violation())) {
            Some(violation) if !is_left_out() => Err((violation, Vec::new())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use gupcheck_program::Model;

    use super::*;
    use crate::model::Sc;
    use crate::selfcheck::generate::{Family, program};

    /// What is passed over although others touch it is lost.
    #[test]
    fn who_does_not_learn_loses_outcomes() {
        let search = Search::unlimited(Model::Sc);
        let outcomes = |program: &Arc<Program>, is_deaf| {
            let mut foresight = Foresight::none(program, Sc::is_fence).learnt();
            foresight.is_deaf = is_deaf;
            let mut left_off = LeftOff::beginning();
            loop {
                let began = (Instant::now(), left_off);
                let engine = GraphEngine::ONE_THREAD;
                match attempt::<Sc>(program, &search, engine, &foresight, began) {
                    Ok(exploration) => return exploration.outcomes.len(),
                    Err((_, left)) => (foresight, left_off) = (foresight.learnt(), left),
                }
            }
        };
        let programs = (1..40).map(|seed| Arc::new(program(Family::Queues, seed).to_program()));
        let lost = programs
            .filter(|program| outcomes(program, true) < outcomes(program, false))
            .count();
        assert!(lost > 10, "{lost}");
    }
}
