//! Fast GUP, faults and user space against migration: pages that move, one by one and in batches.

mod batch;
mod contents;
mod frame_walk;
mod raw_pages;
mod shadow;
mod stale_write;
mod swap_cache;
mod sync;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    batch::RACE,
    sync::RACE,
    swap_cache::RACE,
    contents::RACE,
    frame_walk::RACE,
    stale_write::RACE,
    raw_pages::RACE,
    shadow::RACE,
];
