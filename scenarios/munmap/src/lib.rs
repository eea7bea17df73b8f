//! Fast GUP against `munmap`: the tables go as well.

mod table_free;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[table_free::RACE];
