//! What a CPU has been told of the others: a vector clock.
//!
//! Each CPU counts its own operations. A clock says of every CPU how many of its operations come before
//! something, by program order and by what was read.

use smallvec::SmallVec;

/// How many operations of each CPU come before something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock(SmallVec<[u32; 8]>);

impl Clock {
    /// How many of `lane`'s.
    pub(super) fn get(&self, lane: usize) -> u32 {
        self.0.get(lane).copied().unwrap_or(0)
    }

    /// One more of `lane`'s; how many there are now.
    pub(super) fn tick(&mut self, lane: usize) -> u32 {
        if self.0.len() <= lane {
            self.0.resize(lane + 1, 0);
        }
        self.0[lane] += 1;
        self.0[lane]
    }

    /// Adds all of `other`.
    pub(super) fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, &theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(theirs);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
