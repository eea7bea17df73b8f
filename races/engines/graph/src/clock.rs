//! Sets of events that are closed under program order, as one counter a CPU.
//!
//! Nearly every question that the explorer asks is "is this event among those that come before that
//! one?". All relations that it asks about contain program order (of a CPU, or of one of the two
//! halves of a CPU under TSO), so a set of predecessors is a prefix of each CPU's events, and a vector
//! of lengths holds it: membership is one comparison, union a lane-wise maximum.

use super::id::EventId;

/// How many CPUs a program may have.
pub(super) const MAX_CPUS: usize = 16;
/// How many lanes a graph may have: its CPUs and the couriers of their waits ([`super::waits`]).
pub(super) const MAX_LANES: usize = 24;

/// How many of each CPU's events are in a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(align(16))]
pub(super) struct Clock([u16; MAX_LANES]);

impl Clock {
    /// No event at all.
    pub(super) const EMPTY: Self = Self([0; MAX_LANES]);

    /// How many events of `lane` are in.
    pub(super) const fn get(&self, lane: usize) -> u16 {
        self.0[lane]
    }

    /// Sets how many events of `lane` are in.
    pub(super) const fn set(&mut self, lane: usize, count: u16) {
        self.0[lane] = count;
    }

    /// Adds all of `other`.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(theirs);
        }
    }

    /// Whether all of `other` is in.
    pub(super) fn has_all_of(&self, other: &Self) -> bool {
        (self.0.iter().zip(other.0)).all(|(&mine, theirs)| mine >= theirs)
    }

    /// Whether `event` is in.
    pub(super) const fn has(&self, event: EventId) -> bool {
        self.0[event.lane()] as usize > event.index()
    }
}
