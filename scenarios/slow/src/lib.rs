//! Slow GUP, and those who change what it has looked at: where the lockless walk leaves off, while the mmap lock is dropped, between
//! one look and the next.

mod fall_back;
mod fixup_mprotect;
mod forced_ksm;
mod huge_dirty_cow;
mod leaf_replaced;
mod longterm_move;
mod pinned;
mod populate_munmap;
mod unpin_dirty;
mod unpin_huge;
mod unpin_migration;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    fall_back::RACE,
    longterm_move::RACE,
    unpin_huge::RACE,
    unpin_migration::RACE,
    unpin_dirty::RACE,
    populate_munmap::RACE,
    fixup_mprotect::RACE,
    leaf_replaced::RACE,
    forced_ksm::RACE,
    huge_dirty_cow::RACE,
];
