//! Fast GUP against changes of protection.

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[];
