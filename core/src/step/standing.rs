//! What each step carries.

use super::Step;

/// What the project can say of a step's weight. A test compares it with what the races need
/// (`ci/tests/steps.rs`), and another computes what they need (`races/src/harness/necessity.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Some race fails without it.
    Carried,
    /// It must not matter: some race is tried without it, and holds.
    Control,
    /// Who needs it is not in the model yet: this somebody. Every race holds without it, which says nothing.
    NotYet(&'static str),
    /// Every race holds without it, because something else does the same: what, and why.
    Redundant(&'static str),
}

impl Standing {
    /// Its name in output for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Control => "control",
            Self::NotYet(_) => "not-yet",
            Self::Redundant(_) => "redundant",
        }
    }

    /// Who is missing, or what else does the same.
    pub const fn why(self) -> Option<&'static str> {
        match self {
            Self::Carried | Self::Control => None,
            Self::NotYet(why) | Self::Redundant(why) => Some(why),
        }
    }
}
impl Step {
    /// What can be said of its weight.
    pub const fn standing(self) -> Standing {
        match self {
            Self::ClearBarrier => Standing::Redundant(
                "on x86 the flush, and the barrier or the lock of whoever looks, order again what the exchange has",
            ),
            Self::SoftDirtySkipsPins => Standing::Redundant(
                "a write fault reuses an exclusive page whatever its count (reuse-exclusive), and a page that is pinned is exclusive",
            ),
            Self::SwapPeeksFirst => Standing::Redundant(
                "reclaim looks again once the entry is cleared, and that look decides; the first saves a slot",
            ),
            Self::NosyncBarrier => Standing::Redundant(
                "whoever looks for pins or references after a clear has a full barrier of its own",
            ),
            Self::RecheckOrder | Self::IrqsRestoredFirst | Self::RecheckMarks => Standing::Control,
            _ => Standing::Carried,
        }
    }
}
