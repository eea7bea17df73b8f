//! Lazy TLB mode: a CPU runs a kernel thread, and has the tables of the mm that it used last. x86.
//!
//! # The protocol
//!
//! 1. A flush that is for entries alone interrupts no CPU that it finds lazy: such a CPU flushes by itself when it comes back. One that
//!    is for tables interrupts all: hardware may walk them speculatively.
//! 2. Who flushes raises the mm's TLB generation, which is a full barrier, and then looks who is lazy.
//! 3. Who comes back says that it is lazy no more, has a full barrier, and then looks at the generation.
//!
//! # What happens when a walker comes
//!
//! It may begin right after 3, on a CPU that the flush has just passed over. By the two barriers one of them sees the other: the flush
//! interrupts that CPU, and waits; or the walker begins after the entry was cleared, and finds it so. Whoever takes a flush for an IPI
//! to all walkers (R20) rests on that; an IPI to all CPUs does not.
//!
//! The generation itself is not modelled: nobody in software asks for more than the order.

use super::{Cpu, smp_call_function};
use crate::lkmm::{read_once, smp_mb, write_once};
use crate::step::Step;

/// `switch_mm_irqs_off`, on the CPU that boot said was lazy: it comes back to the mm whose tables it has.
///
/// # Panics
/// If boot said of none.
pub fn leave_lazy_tlb(cpu: &Cpu<'_>) {
    let _span = cpu.span("switch_mm_irqs_off");
    let lazy = cpu
        .machine()
        .lazy_cpu
        .expect("boot said that a CPU is lazy");
    cpu.was_lazy.set(true);
    write_once(cpu, lazy.is_lazy, false);
    // ORDERING: full, between the mark and all that is looked at afterwards. Pairs with the generation that a flush raises.
    // Without it: R06, where the flush is taken for an IPI to all walkers (R20). Step `lazy-leave-barrier`.
    if cpu.does(Step::LazyLeaveBarrier) {
        smp_mb(cpu);
    }
}

/// `native_flush_tlb_multi`, of a flush that frees no table: an IPI to all CPUs but a lazy one, and a wait until they have answered.
pub(super) fn on_each_cpu_not_lazy(cpu: &Cpu<'_>) {
    let Some(lazy) = cpu.machine().lazy_cpu else {
        return smp_call_function(cpu);
    };
    // ORDERING: full (inc_mm_tlb_gen), between the cleared entry and the look. Pairs with lazy-leave-barrier (M-P130). No step: the
    // exchange that clears an entry is a full barrier on x86 as well.
    smp_mb(cpu);
    if read_once(cpu, lazy.is_lazy) {
        cpu.wait_for(&[cpu.machine().sections.irqs_off]);
    } else {
        smp_call_function(cpu);
    }
}
