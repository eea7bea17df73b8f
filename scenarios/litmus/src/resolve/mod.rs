//! From the syntax tree to what runs: every name is given what it stands for.
//!
//! Three passes. [`globals`] and [`state`] declare locations, registers and what is asked of the end;
//! [`body`] turns statements into steps and calls into accesses ([`typing`] says what may stand where);
//! [`crate::flow`] then looks at the whole to decide which loads stand for an address dependency, and what
//! each location is made of. [`whole`] makes them.

mod body;
mod globals;
mod state;
mod typing;
mod whole;

pub(crate) use whole::resolve;
