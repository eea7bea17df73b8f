//! What the threads of one search have found, in the order in which one thread would have found it.
//!
//! One thread walks through the executions in a fixed order, and stops at the first violation. Several
//! threads search *pieces* of that walk at the same time. So that nobody can tell from the result how
//! many there were, each piece has a [`Place`] in the walk, and the ledger keeps the account of each
//! piece apart:
//!
//! 1. a violation makes all that comes after it in the walk void, whether searched already or not;
//! 2. what comes before it is still searched, and may hold a violation that comes first;
//! 3. what is left at the end is what one thread would have seen: the same verdict, the same
//!    counterexample, the same counts.
//!
//! Only a search that is cut short (by a limit or by somebody) has seen another part of the executions.
//!
//! The accounts of pieces that are done and next to each other become one, so there are never more than
//! about twice as many as pieces that are not done.

use std::collections::BTreeMap;
use std::ops::Bound;

use gupcheck_program::{Counterexample, Tally};

/// Where in the walk a piece comes.
///
/// A piece gives the *last* part of what it has left to others, time and again. So the first gift comes
/// after the second, and both after what the giver keeps: numbers that fall, compared like words in a
/// dictionary, in which a word comes before all that begin with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Vec<u32>);

impl Place {
    /// Where the `nth` gift (from 0) of the piece at this place comes.
    pub(super) fn of_gift(&self, nth: u32) -> Self {
        let mut path = Vec::with_capacity(self.0.len() + 1);
        path.extend_from_slice(&self.0);
        path.push(u32::MAX - nth);
        Self(path)
    }
}

/// The accounts of one search.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The account of each piece that is not void; none while it is being searched or waits for it.
    pieces: BTreeMap<Place, Option<Tally>>,
    /// The first violation in the walk so far, and the piece that it ends.
    violation: Option<(Place, Box<Counterexample>)>,
}

impl Ledger {
    /// Takes a new piece in. Whether it is worth searching.
    pub(super) fn open(&mut self, place: Place) -> bool {
        let is_wanted = (self.violation.as_ref()).is_none_or(|(last, _)| place <= *last);
        if is_wanted {
            self.pieces.insert(place, None);
        }
        is_wanted
    }

    /// Whether a violation was found.
    pub(super) const fn has_violation(&self) -> bool {
        self.violation.is_some()
    }

    /// Whether the piece is not void.
    pub(super) fn is_wanted(&self, place: &Place) -> bool {
        self.pieces.contains_key(place)
    }

    /// Takes down what was found in a piece that nobody searches any more.
    pub(super) fn close(&mut self, place: &Place, tally: Tally) {
        let Some(account) = self.pieces.get_mut(place) else {
            return;
        };
        *account = Some(tally);
        self.join_at(place);
        let next = (self.pieces).range((Bound::Excluded(place), Bound::Unbounded));
        if let Some(next) = next.map(|(next, _)| next.clone()).next() {
            self.join_at(&next);
        }
    }

    /// Takes down what was found in a piece that ends with a violation.
    pub(super) fn violate(
        &mut self,
        place: &Place,
        tally: Tally,
        counterexample: Box<Counterexample>,
    ) {
        if !self.is_wanted(place) {
            return;
        }
        let after = (self.pieces).range((Bound::Excluded(place), Bound::Unbounded));
        if let Some(first) = after.map(|(first, _)| first.clone()).next() {
            self.pieces.split_off(&first);
        }
        self.violation = Some((place.clone(), counterexample));
        self.close(place, tally);
    }

    /// Adds the account at `place` to the one before it, if both are there.
    fn join_at(&mut self, place: &Place) {
        let mut up_to_it = self.pieces.range_mut(..=place).rev();
        if let (Some((_, mine @ Some(_))), Some((_, Some(theirs)))) =
            (up_to_it.next(), up_to_it.next())
        {
            theirs.absorb(mine.take().unwrap_or_default());
            self.pieces.remove(place);
        }
    }

    /// All accounts in one, and the violation.
    pub(super) fn into_result(self) -> (Tally, Option<Box<Counterexample>>) {
        let mut all = Tally::default();
        (self.pieces.into_values().flatten()).for_each(|tally| all.absorb(tally));
        (
            all,
            self.violation.map(|(_, counterexample)| counterexample),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gupcheck_program::Violation;

    fn tally(executions: u64) -> Tally {
        let mut tally = Tally::default();
        tally.executions = executions;
        tally
    }

    fn counterexample(message: &str) -> Counterexample {
        let message = message.to_owned();
        Counterexample::bare(Violation::Panic { message }, 0)
    }

    /// A ledger with a first piece and its gifts, in the order of the walk.
    fn with_gifts() -> (Ledger, [Place; 4]) {
        let first = Place::default();
        let (last, middle) = (first.of_gift(0), first.of_gift(1));
        let places = [first, middle.clone(), middle.of_gift(0), last];
        let mut ledger = Ledger::default();
        for place in &places {
            assert!(ledger.open(place.clone()));
        }
        (ledger, places)
    }

    #[test]
    fn gifts_come_after_the_giver_and_later_ones_first() {
        let (_, places) = with_gifts();
        assert!(places.is_sorted());
    }

    #[test]
    fn a_violation_makes_void_what_comes_after_it_and_nothing_else() {
        let (mut ledger, [first, middle, of_middle, last]) = with_gifts();
        ledger.close(&last, tally(1000));
        ledger.violate(&middle, tally(10), Box::new(counterexample("second")));
        assert!(!ledger.is_wanted(&of_middle) && !ledger.is_wanted(&last));
        ledger.close(&of_middle, tally(100));
        assert!(!ledger.open(of_middle.of_gift(0)));
        assert!(ledger.open(first.of_gift(2)));
        ledger.close(&first.of_gift(2), tally(2));
        ledger.close(&first, tally(1));
        let (all, violation) = ledger.into_result();
        assert_eq!(all.executions, 13);
        assert_eq!(
            violation.unwrap().violation,
            counterexample("second").violation
        );
    }

    #[test]
    fn the_first_violation_of_the_walk_counts_whenever_it_was_found() {
        for first_found in [true, false] {
            let (mut ledger, [first, middle, _, last]) = with_gifts();
            let mut tell = |early: bool| {
                if early {
                    ledger.violate(&middle, tally(10), Box::new(counterexample("early")));
                } else {
                    ledger.violate(&last, tally(1000), Box::new(counterexample("late")));
                }
            };
            tell(first_found);
            tell(!first_found);
            ledger.close(&first, tally(1));
            let (all, violation) = ledger.into_result();
            assert_eq!(all.executions, 11);
            assert_eq!(
                violation.unwrap().violation,
                counterexample("early").violation
            );
        }
    }

    #[test]
    fn accounts_that_are_done_become_one() {
        let (mut ledger, places) = with_gifts();
        for nth in [3, 0, 2, 1] {
            ledger.close(&places[nth], tally(1));
        }
        assert_eq!(ledger.pieces.len(), 1);
        assert_eq!(ledger.into_result().0.executions, 4);
    }
}
