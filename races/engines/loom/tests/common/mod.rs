//! Exploring with loom.

use gupcheck_loom::LoomEngine;
use gupcheck_program::{Exploration, Program};
use gupcheck_trials::{explore, search};

/// Explores with loom, without limits.
pub(crate) fn explored(program: Program) -> Exploration {
    explore(&LoomEngine, program, &search())
}
