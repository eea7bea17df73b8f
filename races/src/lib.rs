//! What it means to race: programs, properties, engines, verdicts and counterexamples.

mod books;
pub mod emit;
pub mod engine;
pub mod harness;
pub mod program;
pub mod progress;
pub mod race;
pub mod scene;
pub mod schedule;
pub mod tally;
pub mod trace;
pub mod verdict;
