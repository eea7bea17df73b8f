//! A kernel without some steps.

use super::{Step, Steps};
use crate::arch::Profile;
use crate::noise::Noise;

/// A kernel: an architecture's profile, less the steps knocked out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// What the architecture does.
    pub profile: &'static Profile,
    /// What nobody does in this kernel.
    pub knocked_out: Steps,
    /// Who runs on it beside those whom a race is about.
    pub noise: Noise,
}

impl Kernel {
    /// The kernel with every step in place.
    pub const fn new(profile: &'static Profile) -> Self {
        Self {
            profile,
            knocked_out: Steps::NONE,
            noise: Noise::empty(),
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

    /// The same kernel with these background actors.
    #[must_use]
    pub const fn with_noise(self, noise: Noise) -> Self {
        Self { noise, ..self }
    }

    /// Whether `step` is taken. Consulted at the one place where the step acts.
    pub const fn does(self, step: Step) -> bool {
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
