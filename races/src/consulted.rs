//! Which steps a program's code asks about.

use std::sync::{Mutex, PoisonError};

use gupcheck_core::step::{Asked, Step, Steps};

/// The steps that somebody has asked about so far: while the program was made, or while its code ran. It only grows, and
/// only who searches reads it.
#[derive(Debug, Default)]
pub struct Consulted(Mutex<Steps>);

impl Consulted {
    /// One that is there as long as the process: a kernel is copied wherever it is needed, so nobody knows when the last
    /// copy goes. It takes a few bytes, once for each program that somebody wants to know this of.
    pub fn leaked() -> &'static Self {
        Box::leak(Box::default())
    }

    /// The steps.
    pub fn steps(&self) -> Steps {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked for Consulted {
    fn asked(&self, step: Step) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *steps = steps.with(step);
    }
}
