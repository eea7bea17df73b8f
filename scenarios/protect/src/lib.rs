//! Fast GUP against changes of protection.

mod hint_copy;
mod hint_migration;
mod hint_zap;
mod migrated;
mod quiet;
mod soft_dirty;
mod unprotected;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    quiet::NONE,
    quiet::HUGE,
    quiet::READ_ONLY,
    quiet::USERFAULTFD,
    soft_dirty::RACE,
    hint_zap::RACE,
    hint_copy::RACE,
    hint_migration::RACE,
    migrated::SMALL_PAGE,
    migrated::HUGE,
    unprotected::RACE,
];
