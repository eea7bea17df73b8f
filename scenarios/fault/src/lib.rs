//! Fast GUP against page faults: tables and entries appear.

mod table_publish;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[table_publish::RACE];
