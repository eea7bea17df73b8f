//! How many loom objects an execution gets.

/// How many loom objects of each kind an execution has, or needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Atomics.
    pub(super) atomics: usize,
    /// Race-detecting cells.
    pub(super) plains: usize,
    /// Locks.
    pub(super) locks: usize,
}

impl Sizes {
    /// Both, at each kind the larger.
    pub(super) fn max(self, other: Self) -> Self {
        self.zip(other, usize::max)
    }

    /// Both, at each kind the smaller.
    pub(super) fn min(self, other: Self) -> Self {
        self.zip(other, usize::min)
    }

    /// With room to spare: to run out costs a whole search, and an unused object little.
    pub(super) fn with_slack(self) -> Self {
        let slack = |n: usize| 2 * n + 2;
        Self {
            atomics: slack(self.atomics),
            plains: slack(self.plains),
            locks: slack(self.locks),
        }
    }

    fn zip(self, other: Self, pick: impl Fn(usize, usize) -> usize) -> Self {
        Self {
            atomics: pick(self.atomics, other.atomics),
            plains: pick(self.plains, other.plains),
            locks: pick(self.locks, other.locks),
        }
    }
}
