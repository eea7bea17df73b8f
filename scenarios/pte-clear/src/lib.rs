//! Fast GUP against the clearing of a single entry: `MADV_DONTNEED`, reuse of the page, migration.

mod freeze;
mod look;
mod next_life;
mod reuse;
mod share;
mod shared_look;
mod wrapped_count;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    freeze::RACE,
    look::RACE,
    shared_look::RACE,
    next_life::RACE,
    reuse::RACE,
    share::RACE,
    share::DEFERRED,
    wrapped_count::RACE,
];
