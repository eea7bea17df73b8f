//! Pages that a userfaultfd moves from one area to another: `UFFDIO_MOVE`.
//!
//! The kernel of these races is v6.8, in which it came, with what repaired it later: each repair is a step, and a kernel without it is
//! the one that had the fault. v6.6 has no `UFFDIO_MOVE`.

mod areas;
mod cached;
mod migrating;
mod opposite;
mod pin;
mod shared;
mod slot_reused;
mod table_freed;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    pin::PTES,
    pin::HUGE,
    shared::RACE,
    cached::BY_RECLAIM,
    cached::AGAIN,
    slot_reused::RACE,
    migrating::RACE,
    table_freed::RACE,
    opposite::RACE,
];
