//! Every pair of mutators on the same range: what the kernel's locks keep apart must not be told as a race, and what they
//! do not keep apart must come out right.
//!
//! Nobody calls GUP here. `--cpus` says how many there are of the second of the pair.

mod mutator;
mod pair;
mod refault_migration;
mod refill_split;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[
    pair::MUNMAP_MUNMAP,
    pair::MUNMAP_MADVISE,
    pair::MUNMAP_FAULT,
    pair::MUNMAP_MIGRATION,
    pair::MUNMAP_SPLIT,
    pair::MUNMAP_COLLAPSE,
    pair::MADVISE_MADVISE,
    pair::MADVISE_FAULT,
    pair::MADVISE_MIGRATION,
    pair::MADVISE_SPLIT,
    pair::MADVISE_COLLAPSE,
    pair::FAULT_FAULT,
    pair::FAULT_MIGRATION,
    pair::FAULT_SPLIT,
    pair::FAULT_COLLAPSE,
    pair::MIGRATION_MIGRATION,
    pair::MIGRATION_SPLIT,
    pair::MIGRATION_COLLAPSE,
    pair::SPLIT_SPLIT,
    pair::SPLIT_COLLAPSE,
    pair::COLLAPSE_COLLAPSE,
    refault_migration::RACE,
    refill_split::RACE,
];
