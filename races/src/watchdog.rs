//! Noticing that a search has come to a standstill.
//!
//! A body that runs on without asking for an operation (`loop {}`) keeps its engine from ever looking at a clock, or
//! at a request to stop. Nobody can take the CPU away from it. But a thread of its own can notice that nothing
//! ends any more, and say so; what then becomes of the process is for whoever asked to decide.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gupcheck_program::{Sighting, Watch};

/// How often somebody looks.
const PERIOD: Duration = Duration::from_millis(500);

/// What to make of a body that runs on.
pub const RUNS_ON: &str = "does the body of a CPU run on without asking for an operation?";

/// How a search stands.
#[derive(Clone, Copy, Debug)]
pub struct Stillness {
    /// Executions, as of the last sighting.
    pub executions: u64,
    /// Distinct outcomes, likewise.
    pub outcomes: usize,
    /// Since the last sighting, or the beginning.
    pub silent: Duration,
    /// Since the beginning.
    pub elapsed: Duration,
}

struct Watchdog<'w> {
    watch: &'w dyn Watch,
    began: Instant,
    last: Mutex<(Instant, u64, usize)>,
}

impl Watchdog<'_> {
    fn last(&self) -> MutexGuard<'_, (Instant, u64, usize)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stillness(&self) -> Stillness {
        let (last, executions, outcomes) = *self.last();
        Stillness {
            executions,
            outcomes,
            silent: last.elapsed(),
            elapsed: self.began.elapsed(),
        }
    }
}

impl Watch for Watchdog<'_> {
    fn sighting(&self, sighting: &Sighting) {
        *self.last() = (Instant::now(), sighting.executions, sighting.outcomes);
        self.watch.sighting(sighting);
    }

    fn wants_estimate(&self) -> bool {
        self.watch.wants_estimate()
    }
}

/// Does `work`, a search that `watch` watches; meanwhile `look` is told twice a second how it stands. Where not even the
/// thread for that can be had, nobody looks.
pub fn guarded<R>(
    watch: &dyn Watch,
    look: &(dyn Fn(Stillness) + Sync),
    work: impl FnOnce(&dyn Watch) -> R,
) -> R {
    let now = Instant::now();
    let dog = Watchdog {
        watch,
        began: now,
        last: Mutex::new((now, 0, 0)),
    };
    thread::scope(|scope| {
        // Dropped when the work is done, or throws.
        let (_working, done) = mpsc::channel::<()>();
        let dog = &dog;
        let looks = move || {
            while done.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                look(dog.stillness());
            }
        };
        let _ = thread::Builder::new().spawn_scoped(scope, looks);
        work(dog)
    })
}

#[cfg(test)]
mod tests {
    use gupcheck_program::Unwatched;

    use super::*;

    #[test]
    fn it_sees_how_long_nothing_was_seen() {
        let longest = Mutex::new(Duration::ZERO);
        let look = |stillness: Stillness| {
            assert_eq!(stillness.executions, 7);
            let mut longest = longest.lock().unwrap();
            *longest = stillness.silent.max(*longest);
        };
        let work = |watch: &dyn Watch| {
            watch.sighting(&Sighting {
                executions: 7,
                counts_states: false,
                outcomes: 1,
                estimate: None,
                stage: None,
            });
            thread::sleep(PERIOD * 3);
            "done"
        };
        assert_eq!(guarded(&Unwatched, &look, work), "done");
        assert!(*longest.lock().unwrap() >= Duration::from_millis(500));
    }
}
