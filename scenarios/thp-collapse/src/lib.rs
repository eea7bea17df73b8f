//! Fast GUP against khugepaged, which makes a huge page of small ones.

mod copy_failed;
mod detached_table;
mod lazy_cpu;
mod stale_write;
mod table_deposited;
mod table_freed;
mod table_reused;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    detached_table::RACE,
    table_deposited::RACE,
    table_freed::RACE,
    table_reused::RACE,
    copy_failed::RACE,
    lazy_cpu::RACE,
    stale_write::RACE,
];
