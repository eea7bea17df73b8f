//! The engine checked against brute force.
//!
//! [`generate`] draws a random small program, a [`listing`], from a seed. [`enumerate`] finds all its possible graphs
//! without any cleverness: it adds any CPU's next event in every way that types allow, throws away what
//! the axioms forbid (checked from scratch, by transitive closure, on a graph representation of its
//! own), and remembers every graph seen. [`compare`] asks that the engine finds the same outcomes in
//! exactly as many executions as there are possible graphs; where some graph has a data race or a
//! deadlock, it asks that the engine finds one. It asks so three times: of a search in one go; of one that
//! is cut in pieces after every execution, as it is where several threads share it; and, where CPUs
//! do the same, of one that leaves their exchanges out.

mod axioms;
mod comparison;
mod dominated;
pub mod enumerate;
mod family;
pub mod generate;
pub mod listing;
mod lkmm;
mod plain;
mod relation;
mod sections;
mod state;
mod ways;

pub use comparison::{Mismatch, Report, compare, disagreement, explore, explore_by};
