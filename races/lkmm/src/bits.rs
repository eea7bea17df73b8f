//! Sets of events and relations between them, as bits.
//!
//! A set is a word of [`MOST_EVENTS`] bits; a relation is one such word for each event, the events that it leads to.

use std::ops::{BitAnd, BitOr};

/// How many events an execution can have.
pub(crate) const MOST_EVENTS: usize = 128;

/// A set of events.
pub(crate) type Set = u128;

/// The set of one event.
pub(crate) const fn one(event: usize) -> Set {
    1 << event
}

/// The events of a set, in order.
pub(crate) fn each(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (first < MOST_EVENTS).then_some(first)
    })
}

/// A relation between events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    rows: Vec<Set>,
}

impl Relation {
    /// No pair at all, of `events` events.
    pub(crate) fn empty(events: usize) -> Self {
        let rows = vec![0; events];
        Self { rows }
    }

    /// Every event with itself.
    pub(crate) fn identity(events: usize) -> Self {
        let rows = (0..events).map(one).collect();
        Self { rows }
    }

    /// Every pair of which the first is in `from` and the second in `to`.
    pub(crate) fn product(events: usize, from: Set, to: Set) -> Self {
        let row = |event| if from & one(event) == 0 { 0 } else { to };
        Self {
            rows: (0..events).map(row).collect(),
        }
    }

    /// Adds a pair.
    pub(crate) fn add(&mut self, from: usize, to: usize) {
        self.rows[from] |= one(to);
    }

    /// First this, then `next`.
    pub(crate) fn then(&self, next: &Self) -> Self {
        let row = |&row: &Set| each(row).fold(0, |all, middle| all | next.rows[middle]);
        Self {
            rows: self.rows.iter().map(row).collect(),
        }
    }

    /// The pairs that end in `set`.
    pub(crate) fn ending_in(&self, set: Set) -> Self {
        Self {
            rows: self.rows.iter().map(|row| row & set).collect(),
        }
    }

    /// The pairs that begin in `set`.
    pub(crate) fn beginning_in(&self, set: Set) -> Self {
        let rows = self.rows.iter().enumerate();
        let kept = |(event, &row): (usize, &Set)| if set & one(event) == 0 { 0 } else { row };
        Self {
            rows: rows.map(kept).collect(),
        }
    }

    /// The pairs that `other` does not have.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let rows = self.rows.iter().zip(&other.rows);
        Self {
            rows: rows.map(|(mine, theirs)| mine & !theirs).collect(),
        }
    }

    /// The pairs the other way round.
    pub(crate) fn inverse(&self) -> Self {
        let mut inverse = Self::empty(self.rows.len());
        for (from, &row) in self.rows.iter().enumerate() {
            for to in each(row) {
                inverse.add(to, from);
            }
        }
        inverse
    }

    /// This, or nothing.
    pub(crate) fn or_none(&self) -> Self {
        self | &Self::identity(self.rows.len())
    }

    /// This, once or more often.
    pub(crate) fn repeated(&self) -> Self {
        let mut closed = self.clone();
        for middle in 0..closed.rows.len() {
            let onwards = closed.rows[middle];
            for row in &mut closed.rows {
                if *row & one(middle) != 0 {
                    *row |= onwards;
                }
            }
        }
        closed
    }

    /// This, any number of times, or nothing.
    pub(crate) fn any_number(&self) -> Self {
        self.repeated().or_none()
    }

    /// The events in which a pair begins.
    pub(crate) fn domain(&self) -> Set {
        let rows = self.rows.iter().enumerate();
        rows.fold(
            0,
            |all, (event, &row)| if row == 0 { all } else { all | one(event) },
        )
    }

    /// The events in which a pair ends.
    pub(crate) fn range(&self) -> Set {
        self.rows.iter().fold(0, |all, row| all | row)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.iter().all(|&row| row == 0)
    }

    /// Whether no event leads to itself.
    pub(crate) fn is_irreflexive(&self) -> bool {
        let mut rows = self.rows.iter().enumerate();
        rows.all(|(event, row)| row & one(event) == 0)
    }

    /// Whether there is no cycle.
    pub(crate) fn is_acyclic(&self) -> bool {
        self.repeated().is_irreflexive()
    }
}

impl BitOr for &Relation {
    type Output = Relation;

    fn bitor(self, other: Self) -> Relation {
        let rows = self.rows.iter().zip(&other.rows);
        Relation {
            rows: rows.map(|(mine, theirs)| mine | theirs).collect(),
        }
    }
}

impl BitOr<&Relation> for Relation {
    type Output = Relation;

    fn bitor(self, other: &Relation) -> Relation {
        &self | other
    }
}

impl BitAnd for &Relation {
    type Output = Relation;

    fn bitand(self, other: Self) -> Relation {
        let rows = self.rows.iter().zip(&other.rows);
        Relation {
            rows: rows.map(|(mine, theirs)| mine & theirs).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_finds_the_cycle_that_no_single_pair_has() {
        let mut ring = Relation::empty(3);
        ring.add(0, 1);
        ring.add(1, 2);
        assert!(ring.is_acyclic());
        ring.add(2, 0);
        assert!(ring.is_irreflexive() && !ring.is_acyclic());
    }

    #[test]
    fn composition_goes_through_the_middle() {
        let (mut first, mut next) = (Relation::empty(4), Relation::empty(4));
        first.add(0, 1);
        first.add(0, 2);
        next.add(2, 3);
        let both = first.then(&next);
        assert_eq!(
            (both.rows[0], both.domain(), both.range()),
            (one(3), one(0), one(3))
        );
        assert_eq!(both.inverse().rows[3], one(0));
    }
}
