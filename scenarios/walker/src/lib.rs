//! Variants of the walker: what keeps its tables there, how it reads an entry, and what it must refuse or give back.

mod double_read;
mod folded;
mod gate_order;
mod guard_band;
mod half_way;
mod last_drop;
mod long_pin;
mod marks;
mod perf_slot;
mod poisoned;
mod poisoned_in_use;
mod same_again;
mod shadow;
mod size_collapse;
mod size_munmap;
mod two_words;
mod two_words_pin;
mod two_words_pmd;
mod vmemmap;
mod zero_page;

use gupcheck_races::race::Race;

pub use last_drop::freed_by_the_walker;
pub use marks::fast_only;
pub use same_again::aged_fast_only;
pub use size_collapse::against_collapse;
pub use size_munmap::against_munmap;
pub use two_words::{Frames, of_one_mutator, of_two_mutators};

/// The races of this family.
pub const RACES: &[Race] = &[
    size_munmap::RACE,
    size_collapse::PERF,
    size_collapse::KVM,
    double_read::RACE,
    folded::RACE,
    two_words::RACE,
    two_words_pin::RACE,
    two_words_pmd::RACE,
    last_drop::RACE,
    marks::RACE,
    same_again::RACE,
    half_way::RACE,
    perf_slot::RACE,
    guard_band::RACE,
    zero_page::RACE,
    gate_order::RACE,
    poisoned::RACE,
    poisoned_in_use::RACE,
    shadow::RACE,
    vmemmap::GUP,
    vmemmap::PFN,
    long_pin::RACE,
];
