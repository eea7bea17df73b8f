//! What a CPU may not do.

use gupcheck_sync::LockId;

/// An operation that a CPU must not ask for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Misuse {
    /// It does not hold the lock so that it drops.
    NotHeld(LockId),
    /// It is in the section that it enters.
    IsIn,
    /// It is not in the section that it leaves.
    IsNotIn,
}
