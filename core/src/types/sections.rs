//! What a CPU is in for a while, and others may wait for.

use crate::sync::Section;

/// The kinds of sections that a machine has. Every CPU may be in one of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    /// Interrupts are off: an interrupt that somebody sends is not taken before it ends.
    pub irqs_off: Section,
    /// An RCU reader, for whatever reason: a grace period does not end before it does.
    pub rcu: Section,
}
