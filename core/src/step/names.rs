//! What a step is called, and is found by.

use super::Step;
use std::fmt;
use std::str::FromStr;

impl Step {
    /// Its catalogue id, such as `P18` or `M-P12`.
    pub const fn id(self) -> &'static str {
        self.row().id
    }

    /// Its name on the command line, such as `pmd-recheck`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is, a sentence.
    pub const fn does(self) -> &'static str {
        self.row().does
    }

    /// What on the other side it pairs with.
    pub const fn pairs_with(self) -> &'static str {
        self.row().pairs_with
    }

    /// The kernel function that takes the step, and the commit that brought it.
    pub const fn source(self) -> &'static str {
        self.row().source
    }

    /// Whether it is a control: a step that must *not* matter.
    pub const fn is_control(self) -> bool {
        matches!(
            self,
            Self::RecheckOrder | Self::IrqsRestoredFirst | Self::RecheckMarks
        )
    }

    /// Where it is in a set of steps: a word, and a bit of it.
    pub(super) const fn place(self) -> (usize, u128) {
        let nth = self as usize;
        let bits = u128::BITS as usize;
        (nth / bits, 1 << (nth % bits))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no step has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownStep(pub String);

impl fmt::Display for UnknownStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown step {:?} (known:", self.0)?;
        for step in Step::ALL {
            write!(f, " {}", step.name())?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for UnknownStep {}

impl FromStr for Step {
    type Err = UnknownStep;

    /// By name or, in any case, by catalogue id.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|step| step.name() == text || step.id().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownStep(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_unique_and_parse_back() {
        for &step in Step::ALL {
            assert_eq!(step.name().parse(), Ok(step));
            assert_eq!(step.id().to_lowercase().parse(), Ok(step));
        }
        let mut names: Vec<_> = Step::ALL.iter().map(|s| s.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Step::ALL.len());
    }

    #[test]
    fn unknown_names_are_named() {
        let error = "pmd-rechek".parse::<Step>().unwrap_err();
        assert!(error.to_string().starts_with("unknown step \"pmd-rechek\""));
    }
}
