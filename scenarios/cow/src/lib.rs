//! Fast GUP against whoever copies a page on write, unshares it, or merges it with another.

mod child_reader;
mod huge_pinned_write;
mod huge_read_pin;
mod ksm_merge;
mod ksm_read_pin;
mod ksm_shadow;
mod pinned_write;
mod read_pin;
mod transient;
mod words;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    child_reader::RACE,
    read_pin::RACE,
    pinned_write::RACE,
    huge_pinned_write::RACE,
    huge_read_pin::RACE,
    transient::RACE,
    ksm_merge::RACE,
    ksm_read_pin::RACE,
    ksm_shadow::RACE,
];
