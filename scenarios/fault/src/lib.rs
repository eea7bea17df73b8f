//! Fast GUP against page faults: tables and entries appear.

mod dirty_cow;
mod locked_huge;
mod retry_unmap;
mod table_garbage;
mod table_publish;
mod two_faults;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    dirty_cow::RACE,
    locked_huge::RACE,
    table_publish::RACE,
    table_garbage::RACE,
    two_faults::RACE,
    retry_unmap::RACE,
];
