//! Fast GUP against the splitting of huge pages, of the mapping and of the folio.

mod deferred_free;
mod deferred_scan;
mod head_freed;
mod head_moves;
mod map_count;
mod migrate_huge;
mod pin_through_pmd;
mod requeue;
mod split_meets_migration;
mod split_migration_entry;
mod split_scan;
mod zap_huge_migration;
mod zap_migration_entry;

use gupcheck_races::race::Race;

/// `thp-split/deferred-scan` with callers that pin: finding F3, which a test holds.
pub use deferred_scan::pins_a_tail;

/// The races of this family.
pub const RACES: &[Race] = &[
    head_moves::RACE,
    pin_through_pmd::RACE,
    zap_migration_entry::RACE,
    head_freed::RACE,
    migrate_huge::RACE,
    zap_huge_migration::RACE,
    split_migration_entry::RACE,
    split_meets_migration::RACE,
    deferred_scan::RACE,
    deferred_free::RACE,
    split_scan::RACE,
    map_count::RACE,
    requeue::RACE,
];
