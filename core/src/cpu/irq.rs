//! Interrupts off and on.

use super::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::step::Step;
use crate::sync::Section;

/// What this CPU is in while interrupts are off.
fn irqs_off(cpu: &Cpu<'_>) -> Section {
    let lazy = cpu.machine().lazy_cpu.filter(|_| cpu.was_lazy.get());
    lazy.map_or(cpu.machine().sections.irqs_off, |lazy| lazy.irqs_off)
}

/// `local_irq_save`. Nests.
#[track_caller]
pub fn local_irq_save(cpu: &Cpu<'_>) {
    let depth = cpu.irq_depth.get();
    cpu.irq_depth.set(depth + 1);
    if depth > 0 {
        return;
    }
    // ORDERING: nothing by itself: a store from before may still be in the store buffer. What lies between here and
    // the restore is before or after an IPI that is waited for, as a whole. Pairs with collapse-sync-ipi (M-P12),
    // tlb-flush (M-P6) where that is an IPI. Without it: R06, R17 on x86-native. Step `irqs-off-block-ipi`.
    if cpu.does(Step::IrqsOffBlockIpi) {
        irqs_off(cpu).enter(cpu);
    }
    // ORDERING: the same against a grace period. Pairs with rcu-table-free (M-P13). Without it: R17. Step
    // `irqs-off-hold-rcu`.
    if cpu.does(Step::IrqsOffHoldRcu) {
        rcu_read_lock(cpu);
    }
}

/// `local_irq_restore`: interrupts are on again once the outermost section ends.
#[track_caller]
pub fn local_irq_restore(cpu: &Cpu<'_>) {
    let depth = cpu.irq_depth.get() - 1;
    cpu.irq_depth.set(depth);
    if depth > 0 {
        return;
    }
    // ORDERING: nothing by itself. What lies before is over when an IPI that found it returns, or a grace period. Pairs
    // with collapse-sync-ipi (M-P12), tlb-flush (M-P6), rcu-table-free (M-P13). Without a section that is left last:
    // R06, R17. Steps `irqs-off-block-ipi`, `irqs-off-hold-rcu`.
    if cpu.does(Step::IrqsOffHoldRcu) {
        rcu_read_unlock(cpu);
    }
    if cpu.does(Step::IrqsOffBlockIpi) {
        irqs_off(cpu).leave(cpu);
    }
}
