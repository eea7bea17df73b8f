//! A thread of its own for an engine that is not ours.
//!
//! loom and shuttle keep state of the thread that runs them, leave the `tracing` spans that it is in, and
//! send it events of their own. So they run on a thread that ends with the search, that no subscriber
//! listens to, and whose panics become values.

use std::thread;

use crate::means;
use crate::panics::{self, Caught};

/// Does `work` apart, while `meanwhile` is done on this thread.
///
/// # Errors
/// What `work` threw.
pub fn apart<R: Send>(
    work: impl FnOnce() -> R + Send,
    meanwhile: impl FnOnce(),
) -> Result<R, Caught> {
    thread::scope(|scope| {
        let worker = spawned(scope, || panics::isolated(|| unheard(work)));
        meanwhile();
        // What `work` throws has been caught.
        worker.join().expect("nothing is left to panic")
    })
}

/// Does `work` apart, before panics can be silenced.
pub fn quietly(work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        spawned(scope, || unheard(work));
    });
}

/// A thread of the scope.
fn spawned<'s, R: Send + 's>(
    scope: &'s thread::Scope<'s, '_>,
    work: impl FnOnce() -> R + Send + 's,
) -> thread::ScopedJoinHandle<'s, R> {
    let spawned = means::thread_of(means::THREAD_BYTES).spawn_scoped(scope, work);
    spawned.unwrap_or_else(|error| means::refused("a thread", error))
}

/// Does `work` while no subscriber listens to this thread.
fn unheard<R>(work: impl FnOnce() -> R) -> R {
    tracing::dispatcher::with_default(&tracing::Dispatch::none(), work)
}
