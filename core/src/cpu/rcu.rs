//! RCU: read-side sections and grace periods.

use super::{Cpu, pass};
use crate::step::Step;

/// Whether interrupts-off already makes this CPU a reader.
fn irqs_off_reads(cpu: &Cpu<'_>) -> bool {
    cpu.irq_depth.get() > 0 && cpu.does(Step::IrqsOffHoldRcu)
}

/// `rcu_read_lock`. Nests, and is free with interrupts off.
#[track_caller]
pub fn rcu_read_lock(cpu: &Cpu<'_>) {
    let depth = cpu.rcu_depth.get();
    if depth == 0 && !irqs_off_reads(cpu) {
        cpu.gates().rcu.lock(cpu);
    }
    cpu.rcu_depth.set(depth + 1);
}

/// `rcu_read_unlock`.
#[track_caller]
pub fn rcu_read_unlock(cpu: &Cpu<'_>) {
    let depth = cpu.rcu_depth.get() - 1;
    cpu.rcu_depth.set(depth);
    if depth == 0 && !irqs_off_reads(cpu) {
        cpu.gates().rcu.unlock(cpu);
    }
}

/// `synchronize_rcu`: returns once every section that was running has ended, with interrupts off or not.
pub fn synchronize_rcu(cpu: &Cpu<'_>) {
    let _span = cpu.span("synchronize_rcu");
    for other in cpu.others() {
        pass(cpu, other.rcu);
        if cpu.does(Step::IrqsOffHoldRcu) {
            pass(cpu, other.irq);
        }
    }
}
