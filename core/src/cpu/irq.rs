//! Interrupts off and on.

use super::Cpu;
use crate::step::Step;
use crate::sync::SpinLock;

/// Which gate stands for "interrupts off" in this kernel; `None` if it protects from nothing.
fn gate(cpu: &Cpu<'_>) -> Option<SpinLock> {
    // ORDERING: the gate orders this section against an IPI or grace period that waits for it, both
    // ways, and nothing else. Pairs with collapse-sync-ipi (M-P12), the flush IPI (M-P6) and
    // rcu-table-free (M-P13). Without it: R06, R17. Steps `irqs-off-block-ipi`, `irqs-off-hold-rcu`.
    if cpu.does(Step::IrqsOffBlockIpi) {
        Some(cpu.gates().irq)
    } else if cpu.does(Step::IrqsOffHoldRcu) {
        Some(cpu.gates().rcu)
    } else {
        None
    }
}

/// `local_irq_save`. Nests.
#[track_caller]
pub fn local_irq_save(cpu: &Cpu<'_>) {
    let depth = cpu.irq_depth.get();
    if depth == 0
        && let Some(gate) = gate(cpu)
    {
        gate.lock(cpu);
    }
    cpu.irq_depth.set(depth + 1);
}

/// `local_irq_restore`: interrupts are on again once the outermost section ends.
#[track_caller]
pub fn local_irq_restore(cpu: &Cpu<'_>) {
    let depth = cpu.irq_depth.get() - 1;
    cpu.irq_depth.set(depth);
    if depth == 0
        && let Some(gate) = gate(cpu)
    {
        gate.unlock(cpu);
    }
}
