//! What of the language of operations a search has met.

use gupcheck_core::sync::{LockMode, Op};

/// What a search has met of that which together makes the known gap of [`overtake`](super::overtake).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    shared_lock: bool,
    spin: bool,
}

impl Met {
    pub(super) fn note(&mut self, op: &Op) {
        self.shared_lock |= matches!(
            op,
            Op::Lock {
                mode: LockMode::Shared,
                ..
            }
        );
        self.spin |= matches!(op, Op::SpinUntil { .. });
    }

    /// With what another thread of the same search has met.
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            shared_lock: self.shared_lock || other.shared_lock,
            spin: self.spin || other.spin,
        }
    }

    /// Whether graphs may have been missed.
    pub(super) const fn is_the_gap(self) -> bool {
        self.shared_lock && self.spin
    }
}
