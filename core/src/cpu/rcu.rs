//! RCU: readers and grace periods.

use super::Cpu;

/// `rcu_read_lock`. Nests, within interrupts off as well: a CPU is one reader from the outermost beginning to
/// the last end, whichever of the two that is.
#[track_caller]
pub fn rcu_read_lock(cpu: &Cpu<'_>) {
    let depth = cpu.rcu_depth.get();
    cpu.rcu_depth.set(depth + 1);
    if depth == 0 {
        // ORDERING: nothing by itself. The reader as a whole is before or after a grace period. Pairs with
        // rcu-table-free (M-P13), synchronize_rcu. No step: with interrupts off it is irqs-off-hold-rcu (P4) that
        // begins it, and no race rests on one that begins with interrupts on.
        cpu.machine().sections.rcu.enter(cpu);
    }
}

/// `rcu_read_unlock`.
#[track_caller]
pub fn rcu_read_unlock(cpu: &Cpu<'_>) {
    let depth = cpu.rcu_depth.get() - 1;
    cpu.rcu_depth.set(depth);
    if depth == 0 {
        // ORDERING: nothing by itself. A grace period that found the reader comes after all that it did. Pairs with
        // rcu-table-free (M-P13), synchronize_rcu. No step: as where it begins.
        cpu.machine().sections.rcu.leave(cpu);
    }
}

/// `synchronize_rcu`: returns once every reader that was running has ended, one with interrupts off as well.
pub fn synchronize_rcu(cpu: &Cpu<'_>) {
    let _span = cpu.span("synchronize_rcu");
    // ORDERING: a reader that began before the grace period reached its CPU is over before the return, with all that it
    // did; one that began later comes after the call. Full barriers at both ends. Pairs with irqs-off-hold-rcu (P4),
    // rcu_read_lock. Without it: R17. Step `rcu-table-free`.
    cpu.wait_for(&[cpu.machine().sections.rcu]);
}
