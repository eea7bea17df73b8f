//! Three small models of lockless GUP, event for event the C programs that other model checkers were
//! run on, so that counts can be compared.
//!
//! | model | race |
//! | --- | --- |
//! | [`m1`] | pin against zap, free and reuse |
//! | [`m2`] | pin against giving up exclusivity, and restoring the entry |
//! | [`m3`] | pin against collapse of the page table, with or without an IPI |
//!
//! They speak C11 and not the kernel's words, and have no profile: what they are is their events. What
//! the C main thread stores before it starts the others are initial values here, and what it checks
//! after joining them are properties.

pub mod m1;
pub mod m2;
pub mod m3;
mod races;
mod words;

pub use races::RACES;
