//! One round of a search: all states, as far as the code is known, nearest first.
//!
//! States are gone on from in *levels*: those to which the same number of operations leads. A level's states are shared out
//! among threads in chunks; what they come to is of a later level, or of this one, which then is gone over once more.
//! So whatever the number of threads, each state is gone on from once, when nobody can find a shorter way to it
//! any more.
//!
//! Code that nobody has run is run between levels, by the one thread that owns the forest, in an order that does not
//! depend on who came to it first. All nodes of a class learn together ([`Classes::learn`]). As long as
//! they turn out alike, and do nothing that the class was not known to do, the round goes on and is as good as before:
//! all that was left out or done at once is left out and done at once for the reason that it was. Otherwise that was a
//! *surprise*: the round says nothing, but for a violation that is nearer, and goes on only to learn more.
//!
//! [`Classes::learn`]: gupcheck_tree::Classes::learn

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use gupcheck_program::{Cut, means};
use gupcheck_tree::Forest;

use crate::known::Known;
use crate::seen::{Hash, Seen};
use crate::state::State;
use crate::walker::{Found, Frontier, Haul, Left, Stuck, Walker, bytes_of};

/// Among how many threads a level is shared out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) jobs: NonZeroUsize,
    /// So many states a thread takes at a time. A level with no more than that is for one thread.
    pub(crate) chunk: NonZeroUsize,
}

/// When to stop, and who is told how far a round has come. Asked for between any two chunks.
pub(crate) trait Guard: Sync {
    /// What cuts the search: so many states, so many bytes.
    fn cut(&self, states: u64, bytes: u64) -> Option<Cut>;

    /// How far it has come. Only the thread that began the search says so.
    fn report(&self, states: u64, outcomes: usize);
}

/// What one round is about.
pub(crate) struct Round<'r, 'p> {
    pub(crate) known: Known<'p>,
    forest: &'r mut Forest,
    guard: &'r dyn Guard,
    share: Share,
    first: State,
    pub(crate) seen: Seen,
    frontier: Frontier,
    frontier_bytes: u64,
    /// The most bytes that all this has taken.
    pub(crate) bytes: u64,
    /// How many operations led to the nearest surprise.
    surprised_at: Option<u32>,
    /// What was found so far; its frontier and moves that are stuck are taken out.
    pub(crate) haul: Haul,
}

impl<'r, 'p> Round<'r, 'p> {
    pub(crate) fn new(
        known: Known<'p>,
        forest: &'r mut Forest,
        hash: Hash,
        (share, guard): (Share, &'r dyn Guard),
    ) -> Self {
        Self {
            first: known.machine.first(forest, &known.classes),
            known,
            forest,
            guard,
            share,
            seen: Seen::new(hash),
            frontier: Frontier::new(),
            frontier_bytes: 0,
            bytes: 0,
            surprised_at: None,
            haul: Haul::default(),
        }
    }

    /// Whether what was found stands: there was no surprise, or none before what shows the violation.
    pub(crate) fn says_all(&self) -> bool {
        let Some(at) = self.surprised_at else {
            return true;
        };
        let found = self.haul.found.as_ref();
        found.is_some_and(|found| found.steps <= at)
    }

    /// How many points of code are known.
    pub(crate) fn nodes(&self) -> usize {
        self.forest.len()
    }

    /// The first state; nothing is known before.
    pub(crate) fn begin(&mut self) {
        let mut walker = Walker::new(&self.known, &self.seen, &self.first, u32::MAX);
        walker.begin();
        let haul = walker.haul;
        self.take_in(haul, 0);
    }

    /// Goes on from the nearest states that are left. Whether there were any that are nearer than what was found.
    ///
    /// # Errors
    /// What cut it short.
    pub(crate) fn advance(&mut self) -> Result<bool, Cut> {
        let Some((steps, level)) = self.frontier.pop_first() else {
            return Ok(false);
        };
        let most = (self.haul.found.as_ref()).map_or(u32::MAX, |found| found.steps);
        if most <= steps {
            return Ok(false);
        }
        self.frontier_bytes -= level.iter().map(bytes_of).sum::<u64>();
        let cut = OnceLock::new();
        let haul = self.expand(&level, (steps, most), &cut);
        self.take_in(haul, steps);
        cut.into_inner().map_or(Ok(true), Err)
    }

    /// Goes on from all these states.
    fn expand(&self, level: &[Left], (steps, most): (u32, u32), cut: &OnceLock<Cut>) -> Haul {
        let (next, fresh) = (AtomicUsize::new(0), AtomicU64::new(0));
        let chunk = self.share.chunk.get();
        let of_level: u64 = level.iter().map(bytes_of).sum();
        let kept = self.frontier_bytes + of_level;
        let outcomes = self.haul.tally.outcomes.len();
        // All but the forest, which is this thread's alone.
        let Self {
            known,
            seen,
            first,
            guard,
            ..
        } = self;
        let work = |is_first: bool| {
            let mut walker = Walker::new(known, seen, first, most);
            loop {
                let begin = next.fetch_add(chunk, Ordering::Relaxed);
                if begin >= level.len() || cut.get().is_some() {
                    return walker.haul;
                }
                for left in &level[begin..level.len().min(begin + chunk)] {
                    walker.expand(left, steps);
                }
                let more = std::mem::take(&mut walker.haul.left_bytes);
                let fresh = fresh.fetch_add(more, Ordering::Relaxed) + more;
                let (states, bytes) = (seen.len(), seen.bytes() + kept + fresh);
                if let Some(why) = guard.cut(states, bytes) {
                    _ = cut.set(why);
                }
                if is_first {
                    guard.report(states, outcomes);
                }
            }
        };
        let threads = self.share.jobs.get().min(level.len().div_ceil(chunk));
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    let thread = means::thread_of(means::THREAD_BYTES);
                    let thread = thread.spawn_scoped(scope, || work(false));
                    thread.unwrap_or_else(|why| means::refused("a thread", why))
                })
                .collect();
            let mut haul = work(true);
            for other in others {
                match other.join() {
                    Ok(other) => haul.absorb(other),
                    Err(payload) => std::panic::resume_unwind(payload),
                }
            }
            haul
        })
    }

    /// Takes in what threads have found, and learns what they lack.
    fn take_in(&mut self, mut haul: Haul, steps: u32) {
        let mut stuck = std::mem::take(&mut haul.stuck);
        // Which thread came to it, and when, must not matter.
        stuck.sort_unstable();
        self.keep(haul);
        for stuck in stuck {
            self.unstick(&stuck, steps);
        }
    }

    fn keep(&mut self, mut haul: Haul) {
        for (steps, mut left) in std::mem::take(&mut haul.left) {
            self.frontier_bytes += left.iter().map(bytes_of).sum::<u64>();
            self.frontier.entry(steps).or_default().append(&mut left);
        }
        self.haul.absorb(haul);
        self.bytes = self.bytes.max(self.seen.bytes() + self.frontier_bytes);
    }

    fn unstick(&mut self, stuck: &Stuck, steps: u32) {
        loop {
            let most = (self.haul.found.as_ref()).map_or(u32::MAX, |found| found.steps);
            let mut walker = Walker::new(&self.known, &self.seen, &self.first, most);
            let lacks = walker.retry(stuck);
            let haul = walker.haul;
            self.keep(haul);
            let Some((state, lack)) = lacks else {
                return;
            };
            if self.known.learn(self.forest, &state, lack) {
                self.surprised_at.get_or_insert(steps);
            }
        }
    }

    /// The nearest violation.
    pub(crate) const fn found(&self) -> Option<&Found> {
        self.haul.found.as_ref()
    }
}
