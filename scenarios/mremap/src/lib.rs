//! Fast GUP against `mremap`.

mod moved;
mod moved_back;
mod stale;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    moved::TABLE,
    moved::PTES,
    moved::HUGE,
    stale::OLD,
    stale::NEW,
    moved_back::RACE,
];
