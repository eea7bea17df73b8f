//! How much loom can do, and how much it is let do.

use gupcheck_program::stack::STACK_BYTES;

/// As many CPUs as loom can run: its threads but the one that makes the objects.
pub(super) const MAX_CPUS: usize = ::loom::MAX_THREADS - 1;
/// Decisions in one execution, each a schedule or a choice among writes; loom stops an execution that
/// takes more. Its clocks have 16 bits, so it must not come near that.
pub(super) const MAX_BRANCHES: usize = 20_000;
/// A CPU's stack, in words, of which only what is touched costs anything. An odd number would have the
/// coroutines measure how much is used, by touching all of it.
pub(super) const STACK_WORDS: usize = STACK_BYTES / size_of::<usize>();
/// What stands for no bound.
pub(super) const UNBOUNDED: usize = u8::MAX as usize;
