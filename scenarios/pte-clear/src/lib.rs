//! Fast GUP against the clearing of a single entry: `MADV_DONTNEED`, reuse of the page, migration.

mod freeze;
mod look;
mod look_shared;
mod next_life;
mod reuse;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    freeze::RACE,
    look::RACE,
    look_shared::RACE,
    next_life::RACE,
    reuse::RACE,
];
