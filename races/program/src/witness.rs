//! What a CPU claims was true while it held something.
//!
//! Some promises are of no end, but of an instant on the way: "what I was given was there when I had taken hold of it". A
//! program that makes such a promise has a [`Witness`]: it names cells whose values make *facts* true or not, counts
//! of which a CPU takes units, and says what a CPU that has ended *claims*.
//!
//! 1. A CPU takes units of a count by an atomic update that raises it: a *window* begins. It gives units back, those that it
//!    took last first, by an update that lowers the count; a window of which nothing is left is forgotten.
//! 2. A fact is true or not at each instant: it is a question to the values of [`Witness::shown`] in memory at that instant.
//! 3. A [`Claim`] names a unit that its CPU still holds, and a fact: the fact was true at some instant between the
//!    taking of that unit, and the CPU's end.
//!
//! An execution in which somebody claims what was not so breaks the witness's property. What an *instant* is, the
//! memory model says. Under SC and TSO memory has one history, and an execution that can be told in several orders breaks the
//! property if it does so in one of them. What the graph engine does where there is no such history is told in its
//! module `witness`.

use gupcheck_sync::{CellId, LaneId};
use smallvec::SmallVec;

use crate::returned::Returned;

/// Something that is true or not of memory at an instant. What the number means, the witness knows.
pub type Fact = u64;

/// Facts, a few.
pub type Facts = SmallVec<[Fact; 4]>;

/// What a CPU that has ended claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What was true.
    pub fact: Fact,
    /// The count of which it holds a unit since before that.
    pub count: CellId,
    /// Which unit: so many of those that the CPU still holds were taken after it.
    pub above: u64,
}

/// Claims, a few.
pub type Claims = SmallVec<[Claim; 4]>;

/// Whoever knows what CPUs claim, and what that means.
pub trait Witness: Send + Sync {
    /// The cells on whose values facts depend.
    fn shown(&self) -> &[CellId];

    /// The counts of which CPUs take units. None of these is shown.
    fn counts(&self) -> &[CellId];

    /// Whether a fact is true in such a memory. It asks for shown cells only.
    fn holds(&self, fact: Fact, memory: &dyn Fn(CellId) -> u64) -> bool;

    /// Whether a claim of this fact may name this count. It may say yes for too many.
    fn concerns(&self, count: CellId, fact: Fact) -> bool;

    /// The facts that a CPU claims that has ended with this.
    fn facts(&self, returned: &Returned) -> Facts;

    /// All that it claims, if `memory` holds the last value of each cell.
    fn claims(&self, returned: &Returned, memory: &dyn Fn(CellId) -> u64) -> SmallVec<[Claim; 4]>;

    /// Whether a CPU may ever claim anything.
    fn may_claim(&self, lane: LaneId) -> bool;

    /// What was not so, in words.
    fn denial(&self, fact: Fact) -> String;
}

/// Units that were taken together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window<T> {
    /// Of which count.
    pub count: CellId,
    /// How many of them are left.
    pub units: u64,
    /// What is known of the window.
    pub since: T,
}

/// The windows of one CPU, the newest last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Windows<T>(pub Vec<Window<T>>);

impl<T> Default for Windows<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Windows<T> {
    /// The CPU has taken so many units.
    pub fn take(&mut self, count: CellId, units: u64, since: T) {
        self.0.push(Window {
            count,
            units,
            since,
        });
    }

    /// The CPU has given so many units back.
    pub fn give_back(&mut self, count: CellId, mut units: u64) {
        for window in self.0.iter_mut().rev().filter(|w| w.count == count) {
            let given = window.units.min(units);
            window.units -= given;
            units -= given;
        }
        self.0.retain(|window| window.units > 0);
    }

    /// The window in which the unit was taken that a claim names, if the CPU still holds it.
    pub fn of(&self, claim: &Claim) -> Option<&T> {
        let mut above = claim.above;
        for window in self.0.iter().rev().filter(|w| w.count == claim.count) {
            if above < window.units {
                return Some(&window.since);
            }
            above -= window.units;
        }
        None
    }
}

/// By how much an update has changed a count: units taken, or given back if it is negative.
pub const fn change(old: u64, new: u64) -> i64 {
    new.wrapping_sub(old) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(above: u64) -> Claim {
        Claim {
            fact: 0,
            count: CellId(0),
            above,
        }
    }

    #[test]
    fn what_was_taken_last_is_given_back_first() {
        let mut windows = Windows::default();
        windows.take(CellId(0), 1, 'a');
        windows.take(CellId(1), 1, 'x');
        windows.take(CellId(0), 3, 'b');
        let named = |windows: &Windows<char>| [0, 2, 3, 4].map(|n| windows.of(&claim(n)).copied());
        assert_eq!(named(&windows), [Some('b'), Some('b'), Some('a'), None]);
        windows.give_back(CellId(0), 2);
        assert_eq!(named(&windows), [Some('b'), None, None, None]);
        assert_eq!(windows.of(&claim(1)), Some(&'a'));
        windows.give_back(CellId(0), 7);
        assert_eq!(named(&windows), [None; 4]);
        assert_eq!(windows.0.len(), 1, "of the other count");
    }
}
