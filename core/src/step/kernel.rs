//! A kernel without some steps, and who is told which of them it is asked about.

use std::fmt;

use super::{Step, Steps};
use crate::arch::Profile;
use crate::noise::Noise;

/// Somebody who is told which steps a kernel is asked about. He looks on from outside: nothing of the model can read what he
/// knows, so it is no state that CPUs share.
///
/// Code that has not asked about a step does the same without it. So what was explored of a program whose code never
/// did need not be explored once more without that step: the necessity matrix rests on that.
pub trait Asked: fmt::Debug + Sync {
    /// Somebody asks whether `step` is taken.
    fn asked(&self, step: Step);
}

/// A kernel: an architecture's profile, less the steps knocked out of it.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// What the architecture does.
    pub profile: &'static Profile,
    /// What nobody does in this kernel. [`does`](Self::does) is the only way to learn of it.
    knocked_out: Steps,
    /// Who runs on it beside those whom a race is about.
    pub noise: Noise,
    asked: Option<&'static dyn Asked>,
}

impl Kernel {
    /// The kernel with every step in place.
    pub const fn new(profile: &'static Profile) -> Self {
        Self {
            profile,
            knocked_out: Steps::NONE,
            noise: Noise::empty(),
            asked: None,
        }
    }

    /// The same kernel without these steps either.
    #[must_use]
    pub const fn without(self, steps: Steps) -> Self {
        Self {
            knocked_out: self.knocked_out.union(steps),
            ..self
        }
    }

    /// The same kernel, and whoever asks about a step is told of.
    #[must_use]
    pub const fn telling(self, asked: &'static dyn Asked) -> Self {
        Self {
            asked: Some(asked),
            ..self
        }
    }

    /// The same kernel with these background actors.
    #[must_use]
    pub const fn with_noise(self, noise: Noise) -> Self {
        Self { noise, ..self }
    }

    /// Whether `step` is taken. Consulted at the one place where the step acts.
    pub fn does(self, step: Step) -> bool {
        if let Some(asked) = self.asked {
            asked.asked(step);
        }
        !self.knocked_out.contains(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_a_step_lacks_that_step_alone() {
        let kernel = Kernel::new(&crate::arch::ARM64).without(Steps::of(&[Step::PmdRecheck]));
        for &step in Step::ALL {
            assert_eq!(kernel.does(step), step != Step::PmdRecheck);
        }
    }
}
