//! Telling secondary MMUs of a change: `mmu_notifier_invalidate_range_start` and `_end`, as KVM takes them.
//!
//! # The protocol
//!
//! A secondary MMU holds no reference of what it maps. So whoever clears entries
//!
//! 1. tells it *before*: an invalidation is under way from now on, and what it maps of the range is taken away. Under its lock;
//! 2. clears the entries;
//! 3. tells it that it is over: the sequence moves, and then the invalidation is not under way any more;
//! 4. frees the pages.
//!
//! Whoever faults a page in for the secondary MMU ([`kvm_page_fault`](crate::gup::kvm_page_fault))
//!
//! 1. samples the sequence;
//! 2. gets the page, by the CPU's page tables;
//! 3. maps it, under the lock, if no invalidation is under way, and the sequence is the one that he sampled;
//! 4. gives the page back.
//!
//! What happens when an invalidation comes
//! - that ends before 1 of the fault: it is over, and the page is not found, or is another one;
//! - that is under way at 3: it is asked;
//! - that began after 1 and is over at 3: the sequence has moved;
//! - that begins after 3: it takes away what was mapped.

use crate::cpu::Cpu;
use crate::folio::BlockLink;
use crate::lkmm::{read_once, smp_wmb, write_once};
use crate::step::Step;
use crate::types::{Mm, SecondaryMmu};

/// The secondary MMUs of an address space that are told. Where there are none, nobody asks.
fn of<'m>(cpu: &Cpu<'m>, mm: &Mm) -> impl Iterator<Item = &'m SecondaryMmu> {
    let all = cpu.machine().secondary_mmus.iter();
    // Without it, nobody is told: R57. Step `notifier-invalidate`.
    all.filter(|secondary| secondary.mm == mm.anon_vma.mm && cpu.does(Step::NotifierInvalidate))
}

/// `mmu_notifier_invalidate_range_start`: `kvm_mmu_invalidate_begin`, and `kvm_unmap_gfn_range`.
pub fn invalidate_range_start(cpu: &Cpu<'_>, mm: &Mm) {
    for secondary in of(cpu, mm) {
        let _span = cpu.span("mmu_notifier_invalidate_range_start");
        secondary.lock.lock(cpu);
        let count = secondary.in_progress.read(cpu);
        secondary.in_progress.write(cpu, count + 1);
        secondary.mapped.write(cpu, BlockLink(None));
        secondary.lock.unlock(cpu);
    }
}

/// `mmu_notifier_invalidate_range_end`: `kvm_mmu_invalidate_end`.
pub fn invalidate_range_end(cpu: &Cpu<'_>, mm: &Mm) {
    for secondary in of(cpu, mm) {
        let _span = cpu.span("mmu_notifier_invalidate_range_end");
        secondary.lock.lock(cpu);
        // Without it a fault does not learn of an invalidation that began after it, and is over. Step `notifier-sequence`.
        if cpu.does(Step::NotifierSequence) {
            let sequence = read_once(cpu, secondary.sequence);
            write_once(cpu, secondary.sequence, sequence.wrapping_add(1));
        }
        // ORDERING: the sequence before the count, for those who look without the lock (powerpc). Pairs with smp_rmb in
        // mmu_invalidate_retry. No step: here everybody who looks has the lock.
        smp_wmb(cpu);
        let count = secondary.in_progress.read(cpu);
        secondary.in_progress.write(cpu, count - 1);
        secondary.lock.unlock(cpu);
    }
}
