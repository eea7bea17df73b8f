//! Fast GUP against page tables that go for other reasons than `munmap`.

mod collapsed;
mod exit;
mod refill;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    refill::EMPTIED,
    refill::REFILLED,
    exit::RACE,
    collapsed::RACE,
];
