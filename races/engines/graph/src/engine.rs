//! The engine, and how it is to go about a search.

use std::num::{NonZeroU64, NonZeroUsize};

use gupcheck_program::Reductions;

/// The engine.
#[derive(Clone, Copy, Debug)]
pub struct GraphEngine {
    /// How many threads explore. What they find does not depend on it, counts and counterexample
    /// included, unless the search is cut short: then it has seen another part of the executions.
    pub jobs: NonZeroUsize,
    /// After so many executions a piece of the search is cut off, whether or not some thread has nothing to
    /// do. What is found does not depend on it either: for tests of that.
    pub cuts: Option<NonZeroU64>,
    /// So many graphs are built to see what several CPUs touch, before accesses that nobody else can tell of are
    /// passed over. What is found does not depend on it either.
    pub survey: u64,
    /// Which executions are left out.
    pub reductions: Reductions,
    /// How many distinct outcomes a thread keeps of one piece of the search, before that is cut short: each takes memory.
    pub outcomes: Option<NonZeroUsize>,
}

impl GraphEngine {
    /// Explores with the thread that asks, and no other.
    pub const ONE_THREAD: Self = Self {
        jobs: NonZeroUsize::MIN,
        cuts: None,
        survey: 64,
        reductions: Reductions::NONE,
        outcomes: None,
    };
}

impl Default for GraphEngine {
    fn default() -> Self {
        Self::ONE_THREAD
    }
}
