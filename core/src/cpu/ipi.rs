//! Interrupting every CPU, and waiting until all have answered.

use super::{Cpu, pass};

/// `tlb_remove_table_sync_one`, and every other `smp_call_function(..., wait)`: returns once each other
/// CPU has taken the interrupt, which one with interrupts off does not do. No grace period: an RCU
/// reader with interrupts on does not delay it.
pub fn tlb_remove_table_sync_one(cpu: &Cpu<'_>) {
    let _span = cpu.span("tlb_remove_table_sync_one");
    for other in cpu.others() {
        pass(cpu, other.irq);
    }
}
