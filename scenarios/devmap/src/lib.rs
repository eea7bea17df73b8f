//! Fast GUP against the end of device memory: a file system takes a block back, a driver is unbound.

mod huge_layout;
mod layout;
mod unbind;

use gupcheck_races::race::Race;

/// The races of this family.
pub const RACES: &[Race] = &[layout::RACE, huge_layout::RACE, unbind::RACE];
