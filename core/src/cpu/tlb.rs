//! TLB flushes.
//!
//! Most machines here have no user of a translation: there a flush matters for what it makes a walker or a mutator wait
//! for, and for what it orders. Where there are some ([`Boot::hardware_users`](crate::boot::Boot::hardware_users)), a flush
//! also waits until every translation that it finds is gone.

use super::{Cpu, smp_call_function};
use crate::arch::TlbFlush;
use crate::lkmm::smp_mb;
use crate::step::Step;

/// `flush_tlb_range` and its kin, on every other CPU.
pub fn flush_tlb(cpu: &Cpu<'_>) {
    // ORDERING: where a flush is an IPI it waits for whoever has interrupts off, where it ends in a
    // barrier it is one. Pairs with irqs-off-block-ipi (P3), pin-barrier (P12). Without it: R17 on
    // x86-native, where it is an IPI; R02, R15 on arm64, where it is a barrier. Step `tlb-flush`.
    if !cpu.does(Step::TlbFlush) {
        return;
    }
    let _span = cpu.span("flush_tlb_range");
    invalidate(cpu);
}

/// The flush itself, and the wait for it.
pub(super) fn invalidate(cpu: &Cpu<'_>) {
    match cpu.machine().kernel.profile.flush {
        TlbFlush::Ipi => smp_call_function(cpu),
        // ORDERING: full, between the cleared entry and a look at the counts: on arm64 the only one there is.
        // Pairs with pin-barrier (P12). Without it: R02, R15. Step `flush-barrier`.
        TlbFlush::Broadcast | TlbFlush::BroadcastThenBarrier if cpu.does(Step::FlushBarrier) => {
            smp_mb(cpu);
        }
        TlbFlush::Broadcast | TlbFlush::BroadcastThenBarrier | TlbFlush::Nothing => {}
    }
    if let Some(translations) = cpu.machine().sections.tlb {
        // ORDERING: all that was done through a translation that was there comes before the return; whoever walks later
        // finds the entry changed. Pairs with the section of whoever uses one. Without it: R54. Step `tlb-flush`, and
        // where the flush was put off `flush-before-writeout`, `flush-before-free`, `flush-batched-pending`.
        cpu.wait_for(&[translations]);
    }
}
