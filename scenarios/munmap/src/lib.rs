//! Fast GUP against `munmap`: the tables go as well.

mod lone_user;
mod nested_flush;
mod no_batch;
mod table_free;
mod walk_cache;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    table_free::RACE,
    no_batch::RACE,
    walk_cache::RACE,
    lone_user::RACE,
    nested_flush::RACE,
];
