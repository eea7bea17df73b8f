//! Fast GUP against page tables that go for other reasons than `munmap`.

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[];
