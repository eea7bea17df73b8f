//! How a running search is watched and stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A request to stop, shared by whoever asks (Ctrl-C) and whoever searches.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks every search that holds a clone of this to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a search has come.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Executions so far.
    pub executions: u64,
    /// Distinct outcomes so far.
    pub outcomes: usize,
    /// An estimate of how many executions there are, and its standard error, where the engine has one.
    pub estimate: Option<(f64, f64)>,
    /// What the engine is at: a preemption bound, a worker count.
    pub stage: Option<String>,
}

/// Somebody who watches a search.
pub trait Watch: Sync {
    /// Called from time to time, at most some twenty times a second.
    fn sighting(&self, sighting: &Sighting);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn sighting(&self, _: &Sighting) {}
}

/// A clock that says when the next sighting is due, without asking the system each time.
#[derive(Debug)]
pub struct Pace {
    next: Instant,
    countdown: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            next: Instant::now() + Self::PERIOD,
            countdown: Self::STRIDE,
        }
    }
}

impl Pace {
    const PERIOD: Duration = Duration::from_millis(50);
    const STRIDE: u32 = 64;

    /// Whether a sighting is due now. Cheap enough to be called at every execution.
    pub fn is_due(&mut self) -> bool {
        self.countdown -= 1;
        if self.countdown > 0 {
            return false;
        }
        self.countdown = Self::STRIDE;
        let now = Instant::now();
        if now < self.next {
            return false;
        }
        self.next = now + Self::PERIOD;
        true
    }
}
