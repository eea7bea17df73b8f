//! Fast GUP against the splitting of huge pages, of the mapping and of the folio.

mod head_freed;
mod head_moves;
mod pin_through_pmd;
mod zap_migration_entry;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    head_moves::RACE,
    pin_through_pmd::RACE,
    zap_migration_entry::RACE,
    head_freed::RACE,
];
