//! How deep a CPU's stack is, so that a body that calls itself without end is told so.
//!
//! Engines run bodies on small stacks. One that overflows meets a guard page, and the process dies of a
//! signal without a word. So engines look, at every operation and note of a CPU, how far its stack has
//! come, and end the execution with words before it is too late. A recursion that neither asks for an
//! operation nor opens a span on its way is not seen, and does end in that signal.

use std::hint::black_box;

/// A CPU's stack: 256 KiB where an engine maps it itself.
pub const STACK_BYTES: usize = 256 * 1024;
/// What is kept for whatever a body calls between two looks, and for unwinding.
const RESERVE: usize = 64 * 1024;

/// The stack of one CPU.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    /// An address near its beginning.
    base: usize,
}

impl Stack {
    /// The stack that this runs on, near its beginning.
    pub fn begin() -> Self {
        Self { base: here() }
    }

    /// What is wrong, if the stack is nearly used up.
    pub fn trouble(self) -> Option<String> {
        let used = self.base.abs_diff(here());
        (used > STACK_BYTES - RESERVE).then(|| {
            format!(
                "the stack is nearly used up ({} of {} KiB): does a body call itself without end?",
                used / 1024,
                STACK_BYTES / 1024
            )
        })
    }
}

/// About where the stack is now.
#[inline(never)]
fn here() -> usize {
    let mark = 0u8;
    black_box(&raw const mark).addr()
}
