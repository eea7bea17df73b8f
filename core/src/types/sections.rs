//! What a CPU is in for a while, and others may wait for.

use crate::sync::{Atomic, Section};

/// The kinds of sections that a machine has. Every CPU may be in one of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    /// Interrupts are off: an interrupt that somebody sends is not taken before it ends.
    pub irqs_off: Section,
    /// An RCU reader, for whatever reason: a grace period does not end before it does.
    pub rcu: Section,
}

/// A CPU that is in lazy TLB mode when the machine starts: it runs a kernel thread, with the tables of an mm that it used before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LazyCpu {
    /// `cpu_tlbstate_shared.is_lazy`.
    pub is_lazy: Atomic<bool>,
    /// Interrupts are off there. A section of its own, because not every flush waits for it.
    pub irqs_off: Section,
}
