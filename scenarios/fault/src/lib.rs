//! Fast GUP against page faults: tables and entries appear.

mod locked_huge;
mod table_publish;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[locked_huge::RACE, table_publish::RACE];
