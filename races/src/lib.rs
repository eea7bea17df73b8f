//! What it means to race: a race, the scene on which it is set, the books, races as tests, and the list of
//! engines.
//!
//! What a race is made of ([`program`]) stands here too, so that the file of a race imports from this crate and
//! from `gupcheck_core` alone.
//!
//! | module | noun |
//! | --- | --- |
//! | [`race`], [`scene`], [`reply`] | a race; how it is set on the kernel model; what its CPUs return |
//! | `ending`, `lanes` | the end of an execution, in the kernel's terms; CPUs that were added together |
//! | [`profiles`], [`acts`], [`ends`] | what most races name: sets of profiles, what CPUs do, what is so in the end |
//! | `books` | who should hold what at the end |
//! | [`invariants`] | what must hold in every race, and by whom it is asked |
//! | `translation` | what callers claim was mapped |
//! | `noise` | who runs in the background |
//! | [`engines`] | all engines, by name, and which one is the default |
//! | [`instance`] | a race with everything with which it is run |
//! | [`sharper`] | a violation that says more than the first that is found |
//! | [`missing`] | which ordering was missing in a counterexample |
//! | [`consulted`] | which steps a program's code asks about |
//! | [`again`] | a token, looked up |
//! | [`emit`] | an execution as `tracing` spans and events |
//! | [`prelude`] | what the file of a race usually needs |
//! | [`harness`] | races as tests |
//! | [`watchdog`] | noticing that a search has come to a standstill |

pub mod acts;
pub mod again;
mod books;
pub mod consulted;
pub mod emit;
mod ending;
pub mod ends;
pub mod engines;
pub mod harness;
pub mod instance;
pub mod invariants;
mod lanes;
pub mod missing;
mod noise;
pub mod prelude;
pub mod profiles;
pub mod race;
pub mod reply;
pub mod scene;
pub mod sharper;
mod translation;
pub mod watchdog;

pub use gupcheck_program as program;
