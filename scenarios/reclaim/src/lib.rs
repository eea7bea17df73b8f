//! Fast GUP against reclaim: pages that are discarded, swapped out and brought back, and flushes that are put off.

mod against;
mod large;
mod large_madvise;
mod large_tail;
mod lazyfree;
mod lazyfree_dirty;
mod slot_reused;
mod stale_read;
mod swap_in;
mod swap_out;
mod trusted_entry;
mod writeout;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    lazyfree::RACE,
    lazyfree_dirty::RACE,
    swap_out::RACE,
    swap_in::RACE,
    slot_reused::RACE,
    writeout::RACE,
    stale_read::RACE,
    trusted_entry::RACE,
    large::RACE,
    large_tail::RACE,
    large_madvise::RACE,
    against::BY_MUNMAP,
    against::BY_FAULT,
    against::BY_MADVISE,
    against::BY_MIGRATION,
    against::BY_RECLAIM,
];
