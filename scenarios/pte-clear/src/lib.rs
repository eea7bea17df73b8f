//! Fast GUP against the clearing of a single entry: `MADV_DONTNEED`, reuse of the page, a fault of the same address, migration, a block that is emptied.

mod freeze;
mod isolated_block;
mod look;
mod moves;
mod next_life;
mod no_pages;
mod refault;
mod reuse;
mod share;
mod shared_look;
mod wrapped_count;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    freeze::RACE,
    isolated_block::RACE,
    look::RACE,
    shared_look::RACE,
    moves::RACE,
    next_life::RACE,
    no_pages::RACE,
    refault::RACE,
    refault::PIN,
    reuse::RACE,
    share::RACE,
    wrapped_count::RACE,
];
