//! A race: what is set up, what each CPU does, what must hold, and which steps it rests on.
//!
//! A [`Race`] is a constant, one to a file of a scenario crate. Its [`build`](Race::build) makes the
//! program for given sizes and a given kernel; everything else about it is data that the command line,
//! the test harness and the necessity matrix read.

use gupcheck_core::arch::Profile;
use gupcheck_core::step::{Kernel, Step, Steps};

use gupcheck_program::Program;

/// How large an instance of a race is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// GUP callers.
    pub cpus: u32,
    /// Pages each caller asks for.
    pub pages: u32,
}

impl Size {
    /// One caller, one page.
    pub const SMALLEST: Self = Self { cpus: 1, pages: 1 };
    /// As large as a race can be set up: with two CPUs more, six callers are as many as an engine runs.
    pub const LARGEST: Self = Self { cpus: 6, pages: 8 };

    /// Whether a race can be set up so large.
    pub fn is_possible(self) -> bool {
        let (least, most) = (Self::SMALLEST, Self::LARGEST);
        (least.cpus..=most.cpus).contains(&self.cpus)
            && (least.pages..=most.pages).contains(&self.pages)
    }
}

/// A step that a race rests on: without it, under these profiles, the race must fail.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The step.
    pub step: Step,
    /// Where it is needed. Elsewhere nothing is claimed.
    pub profiles: &'static [&'static Profile],
}

/// A race between GUP callers and somebody who changes what they walk.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// `crate/name`, such as `thp-collapse/detached-table`.
    pub name: &'static str,
    /// Its entry in the catalogue, such as `R02`.
    pub catalogue: &'static str,
    /// What could happen, in a sentence or two.
    pub about: &'static str,
    /// Where it is interesting: where it must hold with everything in place.
    pub profiles: &'static [&'static Profile],
    /// Steps that the kernel of this race never had: a fix that came later and hides the race.
    pub before: &'static [Step],
    /// The steps that it rests on.
    pub needs: &'static [Need],
    /// Controls: steps without which it must still hold, under every profile it names.
    pub indifferent: &'static [Step],
    /// Makes the program.
    pub build: fn(Size, Kernel) -> Program,
}

impl Race {
    /// The race's kernel under `profile`, less `knocked_out`.
    pub fn kernel(&self, profile: &'static Profile, knocked_out: Steps) -> Kernel {
        Kernel::new(profile)
            .without(Steps::of(self.before))
            .without(knocked_out)
    }

    /// Its program.
    pub fn program(&self, size: Size, profile: &'static Profile, knocked_out: Steps) -> Program {
        (self.build)(size, self.kernel(profile, knocked_out))
    }

    /// Whether it rests on `step` under `profile`.
    pub fn needs(&self, step: Step, profile: &'static Profile) -> bool {
        self.needs
            .iter()
            .any(|need| need.step == step && need.profiles.contains(&profile))
    }
}
