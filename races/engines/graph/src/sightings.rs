//! What whoever watches a search is told, by all of its threads together.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use gupcheck_program::{End, Estimate, Pace, Sighting, Watch};

/// The account that is kept for the watcher.
pub(super) struct Sightings<'s> {
    watch: &'s dyn Watch,
    told: Mutex<Told>,
}

struct Told {
    next: Instant,
    /// A hash of each outcome that some thread has seen.
    outcomes: HashSet<u64>,
    estimate: Option<Estimate>,
}

impl<'s> Sightings<'s> {
    pub(super) fn new(watch: &'s dyn Watch) -> Self {
        Self {
            watch,
            told: Mutex::new(Told {
                next: Instant::now(),
                outcomes: HashSet::new(),
                estimate: None,
            }),
        }
    }

    pub(super) fn wants_estimate(&self) -> bool {
        self.watch.wants_estimate()
    }

    /// Takes down what one thread has seen since it was here last, and tells the watcher unless another
    /// thread has just done so. The watcher is never told two things at once.
    pub(super) fn tell(&self, executions: u64, fresh: &mut Vec<u64>, estimate: Option<Estimate>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.outcomes.extend(fresh.drain(..));
        told.estimate = estimate.or(told.estimate);
        let now = Instant::now();
        if now >= told.next {
            told.next = now + Pace::PERIOD;
            self.watch.sighting(&Sighting {
                executions,
                counts_states: false,
                outcomes: told.outcomes.len(),
                estimate: told.estimate.map(|e| e.beyond(executions)),
                stage: None,
            });
        }
    }
}

/// What stands for the outcome of an execution when outcomes are counted: two that differ may have the
/// same once in 2^64 times.
pub(super) fn fingerprint(end: &End<'_>, observed: impl Iterator<Item = u64>) -> u64 {
    let mut hasher = DefaultHasher::new();
    end.all_returned().hash(&mut hasher);
    observed.for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}
