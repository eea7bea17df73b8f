//! Why a test is not explored to its end.

/// Why a test is not explored to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// An execution has more events than a set has bits.
    Events,
    /// One CPU alone has too many runs.
    Runs,
    /// Whoever asked wanted no more.
    Stopped,
}

impl std::fmt::Display for GaveUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Events => "more events than one execution may have",
            Self::Runs => "more runs of one CPU than can be listed",
            Self::Stopped => "stopped",
        })
    }
}

impl std::error::Error for GaveUp {}
