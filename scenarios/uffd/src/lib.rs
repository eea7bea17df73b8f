//! Pages that a userfaultfd moves from one area to another: `UFFDIO_MOVE`.
//!
//! The kernel of these races is v6.8, in which it came, with what repaired it later: each repair is a step, and a kernel without it is
//! the one that had the fault. v6.6 has no `UFFDIO_MOVE`.

mod areas;
mod cached;
mod cached_again;
mod huge_pin;
mod migrating;
mod migrating_whole;
mod opposite;
mod pin;
mod shared;
mod slot_reused;
mod table_freed;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    pin::RACE,
    huge_pin::RACE,
    shared::RACE,
    cached::RACE,
    cached_again::RACE,
    slot_reused::RACE,
    migrating::RACE,
    migrating_whole::RACE,
    table_freed::RACE,
    opposite::RACE,
];
