//! Which executions need not be explored.

use std::str::FromStr;

/// Executions that need not be explored for the outcomes to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reductions {
    /// Of those that differ only in which of two twins ([`CpuDecl::twin_of`]) did what, all but one. How the
    /// others end is known from it: they are judged, and their outcomes recorded.
    ///
    /// [`CpuDecl::twin_of`]: crate::CpuDecl::twin_of
    pub symmetry: bool,
    /// Those in which a round of a loop has failed ([`Lane::retry`]).
    ///
    /// [`Lane::retry`]: gupcheck_sync::Lane::retry
    pub retries: bool,
    /// Those in which a load reads a late write, and would have been answered the same by one that its CPU knows of
    /// already, if that takes away no order that the CPU, or a fence, may still rely on. There is another execution with
    /// the same outcome then, which orders less.
    pub dominated: bool,
}

impl Reductions {
    /// Everything is explored.
    pub const NONE: Self = Self {
        symmetry: false,
        retries: false,
        dominated: false,
    };

    /// All that there are.
    pub const ALL: Self = Self {
        symmetry: true,
        retries: true,
        dominated: true,
    };

    /// What is left out, by the names that [`FromStr`] takes.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.symmetry, SYMMETRY),
            (self.retries, RETRIES),
            (self.dominated, DOMINATED),
        ];
        (all.into_iter()).filter_map(|(is_on, name)| is_on.then_some(name))
    }

    /// What any of these leaves out.
    pub fn all_of(these: &[Self]) -> Self {
        Self {
            symmetry: these.iter().any(|one| one.symmetry),
            retries: these.iter().any(|one| one.retries),
            dominated: these.iter().any(|one| one.dominated),
        }
    }
}

const SYMMETRY: &str = "symmetry";
const RETRIES: &str = "retries";
const DOMINATED: &str = "dominated";

/// A name that no reduction has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reduction {0:?} (known: {SYMMETRY}, {RETRIES}, {DOMINATED}, all, none)")]
pub struct UnknownReduction(String);

impl FromStr for Reductions {
    type Err = UnknownReduction;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            SYMMETRY => Ok(Self {
                symmetry: true,
                ..Self::NONE
            }),
            RETRIES => Ok(Self {
                retries: true,
                ..Self::NONE
            }),
            DOMINATED => Ok(Self {
                dominated: true,
                ..Self::NONE
            }),
            "all" => Ok(Self::ALL),
            "none" => Ok(Self::NONE),
            other => Err(UnknownReduction(other.to_owned())),
        }
    }
}
