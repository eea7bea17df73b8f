//! What stands for a CPU's sections with interrupts off and inside RCU.

use crate::sync::SpinLock;

/// The gates of one CPU.
#[derive(Clone, Copy, Debug)]
pub struct Gates {
    /// Held while interrupts are off.
    pub irq: SpinLock,
    /// Held inside an RCU read-side section that has interrupts on.
    pub rcu: SpinLock,
}
