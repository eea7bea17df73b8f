//! All tests of the command, in one binary: a module is a file beside this one. So what they share is linked once, and a
//! long test keeps nobody from a short one of another file.

mod bench;
mod cli;
mod endings;
mod engines_agree;
mod estimates;
mod invariants;
mod litmus;
mod matrix;
mod needs;
mod noise;
mod orderings;
mod replay;
mod schedules;
mod sizes;
mod states;
mod steps;
mod support;
mod symmetry;
mod texts;
