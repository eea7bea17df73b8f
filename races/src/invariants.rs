//! The invariants of the catalogue, by name: what each of them says, and who asks for it.
//!
//! What can be asked of every race is asked of every race, without its author's asking ([`Asked::OfEveryRace`]). What only
//! a race can know, such as what its mutator decided, it says itself, in words that end with the invariant's number
//! ([`Scene::keeps`](crate::scene::Scene::keeps)). Some are rules that the model's own code follows, so that to break one is
//! a fault where it happens; and some follow from others.

use std::fmt;

use gupcheck_core::folio::{Mapping, Page};
use gupcheck_core::sync::LaneId;

use crate::ending::{Ending, Hold};

/// An invariant of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// A pin is linearisable.
    I1,
    /// Nobody looks at a table that is none any more.
    I2,
    /// References are conserved.
    I3,
    /// A pinned page stays exclusive.
    I4,
    /// Who decided "nobody" and acted on it was right.
    I5,
    /// A pin has the permission that it asked for.
    I6,
    /// Some memory is refused.
    I7,
    /// Nobody gains a reference of a frozen folio.
    I8,
    /// Counts stay within their bounds.
    I9,
    /// What is returned is a prefix.
    I10,
    /// Whoever fails at first gets there in the end.
    I11,
    /// Nobody gets what was never theirs.
    I12,
    /// A page is freed once in each life.
    I13,
    /// A failed speculation writes to nothing that is read-only.
    I14,
}

/// Who asks for an invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Every scene with callers.
    OfEveryRace,
    /// A race that has something to do with it.
    ByTheRace,
    /// The model, where it happens: to break it is a fault.
    ByTheModel,
    /// It is part of another one.
    With(Invariant),
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::I1,
        Self::I2,
        Self::I3,
        Self::I4,
        Self::I5,
        Self::I6,
        Self::I7,
        Self::I8,
        Self::I9,
        Self::I10,
        Self::I11,
        Self::I12,
        Self::I13,
        Self::I14,
    ];

    /// Who asks for it.
    pub const fn asked(self) -> Asked {
        match self {
            Self::I1 | Self::I3 | Self::I4 | Self::I11 => Asked::OfEveryRace,
            Self::I5 | Self::I7 => Asked::ByTheRace,
            Self::I2 | Self::I8 | Self::I10 | Self::I14 => Asked::ByTheModel,
            Self::I6 | Self::I12 => Asked::With(Self::I1),
            Self::I9 | Self::I13 => Asked::With(Self::I3),
        }
    }

    /// How it ends the words of a property: `(I5)`.
    pub fn is_named_in(self, text: &str) -> bool {
        let Some((_, numbers)) = text.rsplit_once('(') else {
            return false;
        };
        let numbers = numbers.trim_end_matches(')').split(", ");
        numbers.into_iter().any(|number| number == self.to_string())
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}", *self as u8 + 1)
    }
}

/// I4: a page of anonymous memory that a caller has pinned is exclusive. Of a huge page that a pmd maps, that is the head's
/// bit.
pub(crate) fn pinned_is_exclusive(end: &Ending<'_>, callers: &[(LaneId, Hold)]) -> bool {
    let pinning = callers.iter().filter(|(_, hold)| *hold == Hold::Pin);
    let mut pages = pinning.flat_map(|&(lane, _)| end.pages(lane));
    pages.all(|page| !is_anon(end, page) || end.is_exclusive(page))
}

fn is_anon(end: &Ending<'_>, page: &Page) -> bool {
    end.end.value(end.head_of(page).mapping) == Mapping::Anon
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart() {
        assert_eq!(Invariant::I14.to_string(), "I14");
        assert!(Invariant::I1.is_named_in("it was mapped there (I1)"));
        assert!(!Invariant::I1.is_named_in("got by nobody (I10, I12)"));
        assert!(Invariant::I12.is_named_in("got by nobody (I10, I12)"));
        assert!(!Invariant::I1.is_named_in("nothing of the kind"));
    }
}
