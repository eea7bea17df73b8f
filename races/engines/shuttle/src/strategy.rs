//! How schedules are chosen.

/// How schedules are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Whoever is ready, with equal chances.
    Random,
    /// Priorities, changed at a few places.
    Pct,
    /// Every schedule with about equal chances.
    Urw,
    /// Every schedule.
    Dfs,
}

impl Strategy {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Random => "random schedules",
            Self::Pct => "PCT schedules of depth 3",
            Self::Urw => "URW schedules",
            Self::Dfs => "all schedules, depth first",
        }
    }
}
