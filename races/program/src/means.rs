//! What the operating system may refuse: another thread, another stack.
//!
//! A process may be allowed so many threads and so much memory. An engine that is refused what it needs has no verdict,
//! and says so. It throws a private value, past the panic hook and through whatever runs it, to where the verdict was
//! asked for.

use std::any::Any;
use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

/// The stack of a thread on which an engine runs: enough for every engine, whatever the shell allows.
pub const THREAD_BYTES: usize = 8 * 1024 * 1024;

/// Something that could not be had.
struct Refused(String);

/// Ends the search: `what` could not be had.
pub fn refused(what: &str, why: impl Display) -> ! {
    let words = format!("{what} could not be had: {why}");
    panic::resume_unwind(Box::new(Refused(words)))
}

/// Whether what was thrown is [`refused`]'s.
pub fn is_refusal(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Refused>()
}

/// Does `work`.
///
/// # Errors
/// What could not be had, in words.
pub fn unless_refused<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        match payload.downcast::<Refused>() {
            Ok(refused) => refused.0,
            Err(payload) => panic::resume_unwind(payload),
        }
    })
}

/// A thread of that size.
pub fn thread_of(bytes: usize) -> thread::Builder {
    thread::Builder::new().stack_size(bytes)
}
