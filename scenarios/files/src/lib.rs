//! Pages of files, which their file has in memory whoever maps them: write-back, truncation, and what shmem's are mapped by.

mod copy_writeback;
mod cow_truncate;
mod delayed_rmap;
mod evict;
mod fault_punch;
mod fault_truncate;
mod forced_shmem;
mod gate_truncate;
mod longterm_writeback;
mod mapped;
mod mkclean_pin;
mod mkwrite_truncate;
mod mkwrite_writeback;
mod reclaim_dirty;
mod reclaim_writeback;
mod short_pin;
mod truncate_pin;
mod unpin_writeback;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    longterm_writeback::RACE,
    unpin_writeback::RACE,
    copy_writeback::RACE,
    short_pin::RACE,
    reclaim_dirty::RACE,
    mkclean_pin::RACE,
    mkwrite_writeback::RACE,
    delayed_rmap::RACE,
    reclaim_writeback::RACE,
    gate_truncate::RACE,
    evict::RACE,
    truncate_pin::RACE,
    fault_truncate::RACE,
    fault_punch::RACE,
    cow_truncate::RACE,
    mkwrite_truncate::RACE,
    forced_shmem::RACE,
];
