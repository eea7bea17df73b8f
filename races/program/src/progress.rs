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

/// How many executions there are: a range that holds nine times out of ten, or only that there are more than some.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// There are this many at least.
    pub low: f64,
    /// And this many at most, if as much can be said.
    pub high: Option<f64>,
}

impl Estimate {
    /// Nothing is known yet.
    pub const NOTHING: Self = Self {
        low: 0.0,
        high: None,
    };

    /// What is left of the estimate when so many executions have been seen, and more are to come. If there should have
    /// been no more, it has been refuted. If there should be few more, it is not believed: that a search is
    /// nearly done has been said of searches that were not, so there may be 20 times as many as were seen.
    #[allow(
        clippy::cast_precision_loss,
        reason = "an estimate is not that precise"
    )]
    #[must_use]
    pub fn beyond(self, executions: u64) -> Self {
        let seen = executions as f64;
        Self {
            low: self.low.max(seen),
            high: (self.high.filter(|&high| high > seen)).map(|high| high.max(20.0 * seen)),
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high } = *self;
        match high {
            Some(high) if high < MANY => write!(f, "{low:.0} to {high:.0}"),
            Some(high) => write!(f, "{low:.1e} to {high:.1e}"),
            None => write!(f, "more than {low:.0}"),
        }
    }
}

/// From here on, digits are counted and not written.
const MANY: f64 = 100_000.0;

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
    /// search, and up to a second when it is cut short.
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

#[cfg(test)]
mod tests {
    use super::Estimate;

    #[test]
    fn an_estimate_gives_way_to_what_was_seen() {
        let estimate = Estimate {
            low: 1_000.4,
            high: Some(20_000.0),
        };
        assert_eq!(estimate.beyond(999).to_string(), "1000 to 20000");
        assert_eq!(estimate.beyond(2_000).to_string(), "2000 to 40000");
        assert_eq!(estimate.beyond(20_000).to_string(), "more than 20000");
        assert_eq!(Estimate::NOTHING.beyond(7).to_string(), "more than 7");
    }
}
