//! Fast GUP against reclaim: pages that are discarded, swapped out and brought back, and flushes that are put off.

mod lazyfree;
mod lazyfree_dirty;
mod swap_in;
mod swap_out;

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};
use gupcheck_races::race::Race;

const ALL: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
/// Those whose flush interrupts nobody: interrupts off keep no page.
const NO_IPI: &[&Profile] = &[&X86_PV, &ARM64, &WEAK];
const RELAXED: &[&Profile] = &[&ARM64, &WEAK];
/// What generic code promises.
const WEAKEST: &[&Profile] = &[&WEAK];

/// The races of this family.
pub const RACES: &[Race] = &[
    lazyfree::RACE,
    lazyfree_dirty::RACE,
    swap_out::RACE,
    swap_in::RACE,
];
