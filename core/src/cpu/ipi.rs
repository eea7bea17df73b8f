//! Interrupting every CPU, and waiting until all have answered.

use super::Cpu;

/// `smp_call_function` with `wait`: returns once each other CPU has taken the interrupt.
pub(super) fn smp_call_function(cpu: &Cpu<'_>) {
    // ORDERING: all that another CPU did with interrupts off, if it began before it was interrupted, comes before
    // the return; if not, after the call. Full barriers where the wait begins and where it ends. Pairs with
    // irqs-off-block-ipi (P3). Without it: R06, R17. Steps `collapse-sync-ipi`, `tlb-flush`.
    let everybody = cpu.machine().sections.irqs_off;
    match cpu.machine().lazy_cpu {
        Some(lazy) => cpu.wait_for(&[everybody, lazy.irqs_off]),
        None => cpu.wait_for(&[everybody]),
    }
}

/// `tlb_remove_table_sync_one`: returns once each other CPU has taken the interrupt, which one with interrupts
/// off does not do. No grace period: an RCU reader with interrupts on does not delay it.
pub fn tlb_remove_table_sync_one(cpu: &Cpu<'_>) {
    let _span = cpu.span("tlb_remove_table_sync_one");
    smp_call_function(cpu);
}
