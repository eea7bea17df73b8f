//! Fast GUP against page faults that bring large folios, and the huge zero page.

mod child_keeps_page;
mod huge_zero;
mod publish;
mod range;
mod range_publish;
mod two_faults;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    huge_zero::RACE,
    publish::RACE,
    two_faults::RACE,
    child_keeps_page::RACE,
    range::RACE,
    range_publish::RACE,
];
