//! What is shown on standard error while a search takes long.
//!
//! Nothing is, unless standard error is a terminal and the search has taken two seconds.

use std::time::{Duration, Instant};

use gupcheck_program::{Sighting, Watch};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::plan::Job;

/// A search that takes no longer than this goes without.
const PATIENCE: Duration = Duration::from_secs(2);

/// A line that says how far a search has come.
pub(crate) struct Spinner {
    bar: ProgressBar,
    label: String,
    started: Instant,
}

impl Spinner {
    pub(crate) fn of(job: &Job) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            label: format!("{} {}", job.instance.race.name, job.instance.profile),
            started: Instant::now(),
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Spinner {
    fn sighting(&self, sighting: &Sighting) {
        let elapsed = self.started.elapsed();
        if elapsed < PATIENCE {
            return;
        }
        self.bar
            .set_message(message(&self.label, sighting, elapsed));
        self.bar.tick();
    }

    /// Whoever waits for a search sees it on the way; whoever reads a verdict that was cut short, beside it.
    fn wants_estimate(&self) -> bool {
        true
    }
}

fn message(label: &str, sighting: &Sighting, elapsed: Duration) -> String {
    let executions = HumanCount(sighting.executions);
    let of = match sighting.estimate {
        Some(estimate) => format!(" of {estimate}"),
        None => String::new(),
    };
    let stage = match &sighting.stage {
        Some(stage) => format!(", {stage}"),
        None => String::new(),
    };
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no last digit")]
    let rate = HumanCount((sighting.executions as f64 / elapsed.as_secs_f64()) as u64);
    let what = if sighting.counts_states {
        "states"
    } else {
        "executions"
    };
    format!(
        "{label}: {executions}{of} {what}, {rate} a second, {} outcomes, {} s{stage}",
        sighting.outcomes,
        elapsed.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use gupcheck_program::Estimate;

    use super::*;

    #[test]
    fn says_how_far_and_of_how_much() {
        let mut sighting = Sighting {
            executions: 12_345,
            counts_states: false,
            outcomes: 3,
            estimate: None,
            stage: None,
        };
        let elapsed = Duration::from_secs(4);
        assert_eq!(
            message("a/b arm64", &sighting, elapsed),
            "a/b arm64: 12,345 executions, 3,086 a second, 3 outcomes, 4 s"
        );
        sighting.estimate = Some(Estimate {
            low: 20_000.4,
            high: Some(99_700.0),
        });
        sighting.stage = Some("preemption bound 2".to_owned());
        assert_eq!(
            message("a/b arm64", &sighting, elapsed),
            "a/b arm64: 12,345 of 20000 to 99700 executions, 3,086 a second, 3 outcomes, 4 s, preemption \
             bound 2"
        );
    }
}
