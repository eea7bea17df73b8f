//! A set of steps.

use super::Step;

/// How many words hold all steps.
const WORDS: usize = Step::ALL.len().div_ceil(u128::BITS as usize);

/// A set of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps([u128; WORDS]);

impl Steps {
    /// No step.
    pub const NONE: Self = Self([0; WORDS]);

    /// These steps.
    pub const fn of(steps: &[Step]) -> Self {
        let mut set = Self::NONE;
        let mut i = 0;
        while i < steps.len() {
            set = set.with(steps[i]);
            i += 1;
        }
        set
    }

    /// With one more.
    #[must_use]
    pub const fn with(mut self, step: Step) -> Self {
        let (word, bit) = step.place();
        self.0[word] |= bit;
        self
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(mut self, other: Self) -> Self {
        let mut word = 0;
        while word < WORDS {
            self.0[word] |= other.0[word];
            word += 1;
        }
        self
    }

    /// Whether `step` is in it.
    pub const fn contains(self, step: Step) -> bool {
        let (word, bit) = step.place();
        self.0[word] & bit != 0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let mut all = Steps::NONE;
        for (nth, &step) in Step::ALL.iter().enumerate() {
            assert!(!all.contains(step), "{step}");
            all = all.with(step);
            assert_eq!(all.iter().count(), nth + 1);
            assert_eq!(Steps::of(&[step]).iter().collect::<Vec<_>>(), [step]);
            assert_eq!(all.union(Steps::of(&[step])), all);
        }
        assert_eq!(all, Step::ALL.iter().copied().collect());
    }
}
