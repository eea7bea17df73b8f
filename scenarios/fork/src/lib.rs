//! Fast GUP against fork: what is pinned is not shared with a child.

mod fall_back;
mod first_pin;
mod huge_pmd;
mod large_folio;
mod looks_pinned;
mod migration;
mod no_memory;
mod pinned;
mod read_pin;
mod remote_pin;
mod shadow;
mod small_page;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    small_page::RACE,
    read_pin::RACE,
    fall_back::RACE,
    first_pin::RACE,
    large_folio::RACE,
    huge_pmd::RACE,
    remote_pin::RACE,
    migration::RACE,
    looks_pinned::RACE,
    no_memory::RACE,
    shadow::RACE,
];
