//! Fast GUP against reclaim: pages that are discarded, swapped out and brought back, and flushes that are put off.

mod lazyfree;
mod lazyfree_dirty;
mod profiles;
mod swap_in;
mod swap_out;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    lazyfree::RACE,
    lazyfree_dirty::RACE,
    swap_out::RACE,
    swap_in::RACE,
];
