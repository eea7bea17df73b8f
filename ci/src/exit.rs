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

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Holds => 0,
            Exit::Violation => 1,
            Exit::Usage => 2,
            Exit::Truncated => 3,
        })
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
