//! How a running search is watched and stopped.

use std::fmt;
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

/// About how many executions there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The expected number of executions.
    pub executions: f64,
    /// Its standard error, in executions. While it is a good part of the number, the number is more
    /// likely too small than too large.
    pub error: f64,
}

impl Estimate {
    /// Whether it says that there are more executions than these, which have been seen. One that does not
    /// has been refuted, and is not worth telling.
    #[allow(
        clippy::cast_precision_loss,
        reason = "an estimate is not that precise"
    )]
    pub fn exceeds(&self, executions: u64) -> bool {
        self.executions > executions as f64
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// From here on, digits are counted and not written.
        const MANY: f64 = 100_000.0;
        let Self { executions, error } = self;
        if *executions < MANY {
            write!(f, "about {executions:.0} ± {error:.0}")
        } else {
            write!(f, "about {executions:.1e} ± {error:.0e}")
        }
    }
}

/// How far a search has come.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Executions so far; or states, where the engine [counts these](Self::counts_states).
    pub executions: u64,
    /// Whether the engine counts states, and no executions.
    pub counts_states: bool,
    /// Distinct outcomes so far; with several threads, as of a moment ago.
    pub outcomes: usize,
    /// How many executions there are, where the engine can tell and is [asked](Watch::wants_estimate).
    pub estimate: Option<Estimate>,
    /// What the engine is at: a preemption bound, a worker count.
    pub stage: Option<String>,
}

/// Somebody who watches a search.
pub trait Watch: Sync {
    /// Called from time to time, at most some twenty times a second.
    fn sighting(&self, sighting: &Sighting);

    /// Whether somebody wants to know how many executions there are: that costs a few hundredths of the
    /// search, and up to half a second when it is cut short.
    fn wants_estimate(&self) -> bool {
        false
    }
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
    /// The time between two sightings.
    pub const PERIOD: Duration = Duration::from_millis(50);
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
