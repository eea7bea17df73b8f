//! How many executions there are, about: Knuth's sampling.
//!
//! The search is a walk through a tree. Its nodes are choices (a read's source, a write's place or the read
//! that it serves, the section that a lock's taker overtakes), its leaves are where nobody can go on. A
//! *probe* goes from the root down to one leaf, and takes at each node one of the `n` children with
//! probability `1/n`. It comes to a given leaf with probability `1/(n1 n2 ...)`, the product over the nodes
//! on the way. So if a probe that ends at an execution counts `n1 n2 ...` for it, and one that ends at a
//! blocked or impossible graph counts nothing, then what it counts is *on average* the number of
//! executions, whatever the shape of the tree (Knuth: Estimating the efficiency of backtrack programs,
//! 1975). The mean over independent probes has that average too, and the spread of the probes over the root
//! of their number is its standard error.
//!
//! # A range that holds
//!
//! The tree is lopsided: most probes count too little, and a few very much. Until some of those were drawn, the mean
//! is too small, and its standard error, too. How far it is off shows in how many probes the mean rests on, which
//! is their *weight*: the square of their sum over the sum of their squares. It is their number if all count alike, and
//! 1 if one of them counts for all. So the range goes from a little below the mean to far above it, and the further
//! the less the weight is ([`range`]). The two bounds were chosen with programs whose executions had all been counted, and
//! are tested with others (`estimates` among the command's tests): nine ranges out of ten must hold. Where a range would be
//! wider than is of use, or the probes were too few, nothing is said but how many executions were seen.
//!
//! That is a measurement, not a theorem, and of programs with thousands of executions. Nobody has counted what a search
//! leaves out that would take weeks. And there are programs of which the probes agree with each other and are wrong:
//! of `thp-split/head-moves` they see a hundredth, because the rest is behind choices that hardly any probe takes. So an
//! estimate leaves room for 20 times the executions that were seen ([`Estimate::beyond`]).
//!
//! Another view was tried: the part of the tree that a search has left behind (at each choice that is open, how many of
//! its branches are done), which gives executions seen over part done. It is 10 to 1,000 times too small as long as less
//! than a hundredth is done, and its own value does not tell: the branches that come first are the small ones.
//!
//! A probe goes the very ways of the search. [`Explorer::step`] adds an event and takes its first choice;
//! the probe then has the explorer take the other ones too, one after the other as it would when going back,
//! but at once and without going on from any of them. Each replaces the one chosen so far with probability
//! `1/k` if it is the `k`th, which leaves each with the same chance in the end; then the chosen one is taken
//! again. Random numbers come from a fixed seed, so the same probes give the same estimate.

use std::sync::Arc;

use gupcheck_sync::Op;

use super::bookmark::Bookmark;
use super::event::{Effect, Event};
use super::explore::{Explorer, Extended};
use super::level::{Entry, Level, Stage};
use super::model::Axioms;
use super::random::Random;
use super::touches::Foresight;
use super::waits::{Unforeseen, Waits};
use gupcheck_program::Reductions;
use gupcheck_program::{Estimate, Program};

/// Fewer probes than this say nothing, not even of their own spread.
pub(super) const ENOUGH: u32 = 256;
/// A range whose ends are further apart than by this factor is of no use.
const WIDEST: f64 = 1_000.0;

/// By which factors there may be fewer executions, and more, than the mean of probes of this weight; see above.
fn range(weight: f64) -> (f64, f64) {
    let spread = 1.0 / weight.sqrt();
    let fewer = (1.0 + 20.0 / weight) * (1.0 + 2.0 * spread);
    let more = (1.0 + 100.0 / weight) * (1.0 + 3.0 * spread);
    (fewer, more)
}

/// The estimate of so many probes from a seed.
pub(super) fn by_probes<A: Axioms>(
    program: &Arc<Program>,
    reductions: Reductions,
    (probes, seed): (u32, u64),
) -> Option<Estimate> {
    let mut waits = Waits::none(program.cpus().len(), program.layout().cells().len());
    loop {
        let mut estimator = Estimator::<A>::new(program, reductions, &waits, seed);
        (0..probes).for_each(|_| estimator.sample());
        match estimator.unforeseen {
            None => return Some(estimator.estimate()),
            Some(wait) => waits = waits.with(wait)?,
        }
    }
}

/// An estimate that gets better with each probe.
pub(super) struct Estimator<A> {
    explorer: Explorer<A>,
    random: Random,
    probes: u32,
    mean: f64,
    /// The sum of squared distances from the mean (Welford's, which loses no digits).
    spread: f64,
    /// A wait that was met and is not counted with.
    unforeseen: Option<Unforeseen>,
}

impl<A: Axioms> Estimator<A> {
    pub(super) fn new(
        program: &Arc<Program>,
        reductions: Reductions,
        waits: &Arc<Waits>,
        seed: u64,
    ) -> Self {
        let foresight = Foresight::none(program, A::is_fence).with_waits(waits);
        Self {
            explorer: Explorer::new(program, reductions, &foresight),
            random: Random(seed),
            probes: 0,
            mean: 0.0,
            spread: 0.0,
            unforeseen: None,
        }
    }

    pub(super) const fn probes(&self) -> u32 {
        self.probes
    }

    /// Sends one more probe.
    pub(super) fn sample(&mut self) {
        let counted = self.probe();
        self.probes += 1;
        let distance = counted - self.mean;
        self.mean += distance / f64::from(self.probes);
        self.spread += distance * (counted - self.mean);
    }

    /// The estimate so far.
    pub(super) fn estimate(&self) -> Estimate {
        let probes = f64::from(self.probes);
        let squares = self.spread / probes + self.mean * self.mean;
        // Not if all were in vain, or one came to what the others do not count with.
        if self.probes < ENOUGH || squares <= 0.0 || self.unforeseen.is_some() {
            return Estimate::NOTHING;
        }
        let (fewer, more) = range(probes * self.mean * self.mean / squares);
        if fewer * more > WIDEST {
            return Estimate::NOTHING;
        }
        Estimate {
            low: self.mean / fewer,
            high: Some(self.mean * more),
        }
    }

    /// Goes down to a leaf, and returns what that counts.
    fn probe(&mut self) -> f64 {
        let mut root = Level {
            leaves_out_dominated: self.explorer.level().leaves_out_dominated,
            ..Level::default()
        };
        root.reset(
            &self.explorer.program,
            self.explorer.twins,
            &self.explorer.waits,
        );
        self.explorer.adopt(root, Bookmark::beginning());
        let mut weight = 1.0;
        loop {
            let depth = self.explorer.depth;
            let ended = self.explorer.step();
            match ended {
                None => weight *= self.choose(depth),
                Some(Extended::Complete | Extended::Violated(..)) if !self.is_stuck() => {
                    return weight;
                }
                Some(Extended::Unforeseen(wait)) => {
                    self.unforeseen = Some(wait);
                    return 0.0;
                }
                Some(Extended::Doomed | Extended::Blocked(_)) if !self.is_stuck() => return 0.0,
                // To leave it at that is one of the choices; the others overtake somebody.
                Some(ended) => {
                    weight *= self.choose(depth);
                    if self.explorer.depth == depth {
                        let counts = matches!(ended, Extended::Violated(..));
                        return if counts { weight } else { 0.0 };
                    }
                }
            }
        }
    }

    /// Whether the current graph cannot go on as it is but may have overtaken somebody.
    fn is_stuck(&self) -> bool {
        let last = self.explorer.level().entries.last();
        last.is_some_and(|entry| matches!(entry.stage, Stage::Stuck { .. }))
    }

    /// Takes any of the choices of the last entry at `depth`, whose first one is taken, and of what that
    /// leads to; returns one over the probability of what was taken.
    fn choose(&mut self, depth: usize) -> f64 {
        let Some(&first) = self.explorer.levels[depth].entries.last() else {
            return 1.0;
        };
        if matches!(first.stage, Stage::Settled) {
            return 1.0;
        }
        // The state from which the choice is the next to be taken; none for a first one that is an event of
        // this level and not a graph of its own.
        let is_a_level = self.explorer.depth > depth;
        let mut chosen = is_a_level.then(|| first.before_its_level());
        let events = self.explorer.undo(depth);
        let mut choices = 1_u32;
        loop {
            let before = self.explorer.last_entry();
            if !self.explorer.advance() {
                self.explorer.levels[depth].entries.push(before);
                break;
            }
            choices += 1;
            if self.random.one_in(choices.into()) {
                chosen = Some(before);
            }
            self.explorer.undo(depth);
        }
        match chosen {
            None => self.explorer.redo(first, &events),
            Some(before) => {
                self.explorer.redo(before, &[]);
                let is_there = self.explorer.advance();
                debug_assert!(is_there, "it was there before");
            }
        }
        let below = if self.explorer.depth > depth {
            // A revisit's new graph may begin with a choice of its own.
            self.choose(depth + 1)
        } else {
            1.0
        };
        f64::from(choices) * below
    }
}

impl Entry {
    /// What an entry was before its choice led to another level.
    fn before_its_level(self) -> Self {
        let stage = match self.stage {
            // A write that has no place.
            Stage::Serve { nth } => Stage::Serve { nth: nth - 1 },
            Stage::ShutOut { overtaken } => Stage::LetIn { overtaken },
            other => other,
        };
        Self { stage, ..self }
    }
}

impl<A: Axioms> Explorer<A> {
    fn last_entry(&self) -> Entry {
        *self.level().entries.last().expect("an entry to choose for")
    }

    /// Goes back to the level at `depth`, to where nothing was chosen for its last entry. Returns the
    /// events that this takes away, the last one first.
    fn undo(&mut self, depth: usize) -> Vec<(usize, Event)> {
        if self.depth > depth {
            self.depth = depth;
        }
        let level = &mut self.levels[depth];
        let entry = level.entries.last_mut().expect("an entry to choose for");
        let present = std::mem::take(&mut entry.present);
        let take_away = |_| {
            let id = *level.graph.pushed().last().expect("it is present");
            let event = *level.graph.event(id);
            level.pop();
            (id.lane(), event)
        };
        (0..present).map(take_away).collect()
    }

    /// Makes the last entry what it was, with the events that were taken away.
    fn redo(&mut self, entry: Entry, events: &[(usize, Event)]) {
        let level = &mut self.levels[self.depth];
        *level.entries.last_mut().expect("an entry to choose for") = entry;
        for (lane, event) in events.iter().rev() {
            let effect = Effect {
                source: event.source,
                read: event.read,
                wrote: event.writes.then_some(event.wrote),
                position: event.position,
                granted: event.granted,
                known: event.known,
                stands_for: !event.reads && matches!(event.op, Op::Read { .. }),
            };
            level.push_stamped(*lane, event.asked(), effect, event.stamp);
        }
    }
}
