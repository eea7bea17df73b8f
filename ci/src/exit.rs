//! How the process ends.

use std::process::ExitCode;

use gupcheck_program::Verdict;

/// The exit codes, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: everything asked for was explored, and holds.
    Holds,
    /// 3: nothing broke, but something was not explored to its end.
    Truncated,
    /// 1: something broke.
    Violation,
    /// 2: what was asked for makes no sense.
    Usage,
}

impl Exit {
    /// What a verdict is worth.
    pub(crate) const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Complete => Self::Holds,
            Verdict::Truncated(_) | Verdict::Unsupported(_) => Self::Truncated,
            Verdict::Failed(_) => Self::Violation,
        }
    }
}

impl Exit {
    /// As the process says it.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violation => 1,
            Self::Usage => 2,
            Self::Truncated => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins() {
        let all = [Exit::Holds, Exit::Violation, Exit::Truncated];
        assert_eq!(all.into_iter().max(), Some(Exit::Violation));
        assert_eq!(Exit::Holds.max(Exit::Truncated), Exit::Truncated);
    }
}
