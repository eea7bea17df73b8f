//! What the model complains of in an execution that it allows.

use std::ops::{BitOr, BitOrAssign};

/// A set of complaints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// Plain accesses race.
    pub const DATA_RACE: Self = Self(1);
    /// A CPU makes a plain write and a marked access to the same place without a barrier between them.
    pub const MIXED_ACCESSES: Self = Self(1 << 1);
    /// A section of RCU is never left.
    pub const UNMATCHED_RCU_LOCK: Self = Self(1 << 2);
    /// A section of RCU is left that was not entered.
    pub const UNMATCHED_RCU_UNLOCK: Self = Self(1 << 3);
    /// A section of SRCU is never left.
    pub const UNMATCHED_SRCU_LOCK: Self = Self(1 << 4);
    /// A section of SRCU is left that was not entered.
    pub const UNMATCHED_SRCU_UNLOCK: Self = Self(1 << 5);
    /// Two unlocks leave the same section of SRCU.
    pub const MULTIPLE_SRCU_MATCHES: Self = Self(1 << 6);

    /// All of them, under the names that the model gives them, in its order.
    const NAMES: [(Self, &'static str); 7] = [
        (Self::UNMATCHED_RCU_LOCK, "unmatched-rcu-lock"),
        (Self::UNMATCHED_RCU_UNLOCK, "unmatched-rcu-unlock"),
        (Self::UNMATCHED_SRCU_LOCK, "unmatched-srcu-lock"),
        (Self::UNMATCHED_SRCU_UNLOCK, "unmatched-srcu-unlock"),
        (Self::MULTIPLE_SRCU_MATCHES, "multiple-srcu-matches"),
        (Self::MIXED_ACCESSES, "mixed-accesses"),
        (Self::DATA_RACE, "data-race"),
    ];

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These, if something is so; else none.
    pub(crate) const fn only_if(self, is_so: bool) -> Self {
        if is_so { self } else { Self::NONE }
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let known = Self::NAMES.into_iter();
        known.filter_map(move |(flag, name)| self.has(flag).then_some(name))
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}
