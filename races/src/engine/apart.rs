//! A thread of its own for an engine that is not ours.
//!
//! loom and shuttle keep state of the thread that runs them, leave the `tracing` spans that it is in, and
//! send it events of their own. So they run on a thread that ends with the search, that no subscriber
//! listens to, and whose panics become values.

use std::thread;

use super::panics::{self, Caught};

/// Does `work` apart, while `meanwhile` is done on this thread.
pub(super) fn apart<R: Send>(
    work: impl FnOnce() -> R + Send,
    meanwhile: impl FnOnce(),
) -> Result<R, Caught> {
    let quietly = || {
        panics::isolated(|| {
            tracing::dispatcher::with_default(&tracing::Dispatch::none(), work)
        })
    };
    thread::scope(|scope| {
        let worker = scope.spawn(quietly);
        meanwhile();
        // What `work` throws has been caught.
        worker.join().expect("nothing is left to panic")
    })
}
