//! A set of steps.

use super::Step;

/// A set of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps(u128);

impl Steps {
    /// No step.
    pub const NONE: Self = Self(0);

    /// These steps.
    pub const fn of(steps: &[Step]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < steps.len() {
            set |= steps[i].bit();
            i += 1;
        }
        Self(set)
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, step: Step) -> Self {
        Self(self.0 | step.bit())
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `step` is in it.
    pub const fn contains(self, step: Step) -> bool {
        self.0 & step.bit() != 0
    }

    /// Its steps, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Step> {
        Step::ALL
            .iter()
            .copied()
            .filter(move |&step| self.contains(step))
    }
}

impl FromIterator<Step> for Steps {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        steps.into_iter().fold(Self::NONE, Self::with)
    }
}
