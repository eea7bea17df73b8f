//! One graph built directly from a schedule: no search.
//!
//! A schedule names the operations of all CPUs in an order that program order and reads-from allow, and
//! for each its place in coherence order, counted from the newest write that is there. So the graph can be
//! pushed operation by operation; the model is asked of each whether it allows it.
//!
//! Where the program is not any more what it was, [`nearest`](Follower::nearest) follows as much as it can: an
//! operation that is gone is left out, a new one is done on the way to what comes next, one that became
//! another takes its place; a read that may not be as old as it was is as old as it may be. What is not
//! finished by then goes on to its end, CPU by CPU, and reads what is newest.

use std::sync::Arc;

use gupcheck_sync::LaneId;

use super::build::{Broken, Builder, Ending};
use super::model::Axioms;
use super::silence::silently;
use super::waits::{Waits, too_many_waits};
use gupcheck_program::{
    Choice, Counterexample, Misfit, Program, Replay, ReplayError, Replayed, signature,
};

/// How far the nearest schedule looks for an operation that is not where it was.
const LOOKAHEAD: usize = 8;

/// Builds the execution that `choices` lead to.
pub(super) fn run<A: Axioms>(
    program: &Arc<Program>,
    replay: &Replay<'_>,
    choices: &[Choice],
) -> Result<Replayed, ReplayError> {
    let waits = foreseen::<A>(program, choices).map_err(ReplayError::Unsupported)?;
    let exactly = || Follower::<A>::new(program, &waits, replay).exactly(choices);
    let nearest = || Follower::<A>::new(program, &waits, replay).nearest(choices);
    let (broken, misfit, followed) = match silently(exactly)? {
        Ok(broken) => (broken, None, choices.len()),
        Err(misfit) => {
            let (broken, followed) = silently(nearest);
            (broken, Some(misfit), followed)
        }
    };
    Ok(Replayed {
        broken: broken.map(Box::new),
        misfit,
        followed,
        choices: choices.len(),
    })
}

/// The execution that `choices` lead to, told.
pub(super) fn tell<A: Axioms>(
    program: &Arc<Program>,
    choices: &[Choice],
    execution: u64,
) -> Result<Option<Counterexample>, String> {
    let waits = foreseen::<A>(program, choices)?;
    let mut builder = Builder::<A>::new(program, &waits);
    let broken = silently(|| strictly(&mut builder, choices))?;
    Ok(broken.map(|broken| silently(|| builder.tell(broken, execution))))
}

/// The execution that these choices lead to and that is gone on with to its end, told, if it breaks a rule.
pub(super) fn followed<A: Axioms>(
    program: &Arc<Program>,
    choices: &[Choice],
    execution: u64,
) -> Option<Counterexample> {
    let waits = foreseen::<A>(program, choices).ok()?;
    let mut builder = Builder::<A>::new(program, &waits);
    let broken = builder.follow(choices)?;
    Some(builder.tell(broken, execution))
}

/// The waits that are met on the way that these choices lead.
///
/// # Errors
/// If there are too many.
pub(super) fn foreseen<A: Axioms>(
    program: &Arc<Program>,
    choices: &[Choice],
) -> Result<Arc<Waits>, String> {
    let mut waits = Waits::none(program.cpus().len(), program.layout().cells().len());
    let unforeseen = |waits: &Arc<Waits>| {
        let mut builder = Builder::<A>::new(program, waits);
        builder.follow(choices);
        builder.unforeseen
    };
    while let Some(wait) = silently(|| unforeseen(&waits)) {
        waits = waits.with(wait).ok_or_else(too_many_waits)?;
    }
    Ok(waits)
}

/// Makes these choices, all of them, and as they are; what breaks by the last one, or at the end.
fn strictly<A: Axioms>(
    builder: &mut Builder<A>,
    choices: &[Choice],
) -> Result<Option<Broken>, String> {
    for (nth, choice) in choices.iter().enumerate() {
        let step = nth + 1;
        match builder.take(usize::from(choice.lane), choice.back, true) {
            Ok(None) => {}
            Ok(Some(broken)) if step == choices.len() => return Ok(Some(broken)),
            Ok(Some(_)) => return Err(format!("a rule is broken at step {step} already")),
            Err(why) => return Err(format!("step {step}: {why}")),
        }
    }
    match builder.ending(0) {
        Ending::Broken(broken) => Ok(Some(broken)),
        Ending::Holds => Ok(None),
        Ending::Open(lane) => Err(format!("CPU {lane} is not at its end")),
    }
}

struct Follower<'r, A> {
    builder: Builder<A>,
    replay: &'r Replay<'r>,
}

impl<'r, A: Axioms> Follower<'r, A> {
    fn new(program: &Arc<Program>, waits: &Arc<Waits>, replay: &'r Replay<'r>) -> Self {
        let builder = Builder::new(program, waits);
        Self { builder, replay }
    }

    /// Follows a schedule that fits; or the first step that does not.
    fn exactly(
        mut self,
        choices: &[Choice],
    ) -> Result<Result<Option<Counterexample>, Misfit>, ReplayError> {
        self.builder.hook();
        for (nth, choice) in choices.iter().enumerate() {
            let lane = usize::from(choice.lane);
            let op = self.builder.asked(lane).map(|asked| asked.op);
            let (program, fingerprint) = (&self.builder.explorer.program, self.replay.fingerprint);
            if let Err(misfit) = fingerprint.check(nth, program, op.as_ref()) {
                return Ok(Err(misfit));
            }
            let impossible = |why: &str| ReplayError::Impossible {
                step: nth + 1,
                why: why.to_owned(),
            };
            match self.builder.take(lane, choice.back, true) {
                Ok(None) => {}
                Ok(Some(_)) if nth + 1 < choices.len() => {
                    return Err(impossible("a rule is broken before the schedule ends"));
                }
                Ok(Some(broken)) => return Ok(Ok(Some(self.tell(broken)))),
                Err(why) => return Err(impossible(why)),
            }
        }
        match self.builder.ending(0) {
            Ending::Broken(broken) => Ok(Ok(Some(self.tell(broken)))),
            Ending::Holds => Ok(Ok(None)),
            Ending::Open(lane) => {
                let op = self.builder.asked(lane).expect("it can go on").op;
                let program = &self.builder.explorer.program;
                let lane = LaneId(lane as u8);
                Ok(Err(Misfit::at_the_end(program, choices.len(), lane, &op)))
            }
        }
    }

    /// Follows a schedule as far as it fits. What broke, and how many choices could be followed.
    fn nearest(mut self, choices: &[Choice]) -> (Option<Counterexample>, usize) {
        self.builder.hook();
        let mut followed = 0;
        for (nth, choice) in choices.iter().enumerate() {
            let lane = usize::from(choice.lane);
            if !self.fits(nth) {
                if self.is_gone(nth) {
                    continue;
                }
                if let Some(broken) = self.run_ahead(nth) {
                    return (Some(self.tell(broken)), followed);
                }
            }
            let fits = self.fits(nth);
            match self.builder.take(lane, choice.back, false) {
                Ok(None) => followed += usize::from(fits),
                Ok(Some(broken)) => {
                    return (Some(self.tell(broken)), followed + usize::from(fits));
                }
                Err(_) => {}
            }
        }
        let broken = self.builder.follow(&[]);
        (broken.map(|broken| self.tell(broken)), followed)
    }

    fn word(&mut self, lane: usize) -> Option<String> {
        let op = self.builder.asked(lane)?.op;
        Some(signature(&self.builder.explorer.program, &op))
    }

    /// Whether step `nth` is what its CPU does next.
    fn fits(&mut self, nth: usize) -> bool {
        let Some((lane, was)) = self.replay.fingerprint.step(nth) else {
            return false;
        };
        self.word(lane.index()).as_deref() == Some(was)
    }

    /// Whether step `nth` is left out: its CPU goes on with what came soon after it.
    fn is_gone(&mut self, nth: usize) -> bool {
        let fingerprint = self.replay.fingerprint;
        let Some((lane, _)) = fingerprint.step(nth) else {
            return true;
        };
        let Some(now) = self.word(lane.index()) else {
            return true;
        };
        (nth + 1..fingerprint.len())
            .filter_map(|later| fingerprint.step(later))
            .filter(|&(other, _)| other == lane)
            .take(LOOKAHEAD)
            .any(|(_, word)| word == now)
    }

    /// Lets a CPU do what is new before step `nth`, if there is such a thing.
    fn run_ahead(&mut self, nth: usize) -> Option<Broken> {
        let lane = self.replay.fingerprint.step(nth)?.0.index();
        let before = self.builder.explorer.level().graph.pushed().len();
        for _ in 0..LOOKAHEAD {
            if let Some(broken) = self.builder.take(lane, 0, false).ok()? {
                return Some(broken);
            }
            if self.fits(nth) {
                return None;
            }
        }
        let level = &mut self.builder.explorer.levels[0];
        while level.graph.pushed().len() > before {
            level.pop();
        }
        None
    }

    fn tell(&mut self, broken: Broken) -> Counterexample {
        self.builder.tell(broken, self.replay.execution)
    }
}
