//! Flushes that are put off: `TTU_BATCH_FLUSH`.
//!
//! # The rules
//!
//! 1. Whoever unmaps many pages by way of their folios (reclaim; migration, asynchronous) clears an entry without a flush, and
//!    notes, under the page-table lock, that one is due: for the task ([`Cpu`]'s own), and in the mm
//!    (`tlb_flush_batched`), for others.
//! 2. Before contents are written out that somebody may still write to by a stale translation, he flushes
//!    ([`try_to_unmap_flush_dirty`]); before pages are freed or moved, in any case ([`try_to_unmap_flush`]).
//! 3. Between 1 and 2 a stale translation works. Who takes the cleared entry for "nobody can get there any more", and returns
//!    to user space on the strength of it (munmap, mprotect, mremap, madvise), asks the mm first, under the page-table lock
//!    ([`flush_tlb_batched_pending`]).
//!
//! # What it orders
//!
//! On x86 the clear is a locked exchange. On arm64 the invalidation is sent at once, and only the wait for it is put off; before
//! it is sent a DSB waits for all stores, which no later access passes. Generic code promises nothing.
//!
//! # What happens when a walker comes
//!
//! Nothing of this reaches it: it reads entries, not translations. Between the cleared entry and the look at the references
//! there must be a barrier of whoever looks (`peek-barrier`, `lazyfree-barrier`).

use super::tlb::invalidate;
use super::{Cpu, pte_accessible, this_cpu::UnmapBatch};
use crate::arch::TlbFlush;
use crate::lkmm::{atomic_add, atomic_cmpxchg, read_once, smp_mb};
use crate::step::Step;
use crate::types::{Entry, Mm};

/// Where the flushes that somebody made up for begin (`TLB_FLUSH_BATCH_FLUSHED_SHIFT`).
const FLUSHED_SHIFT: u32 = 16;
/// `TLB_FLUSH_BATCH_PENDING_MASK`.
const PENDING: i32 = (1 << (FLUSHED_SHIFT - 1)) - 1;

/// `set_tlb_ubc_flush_pending`: the entry that held `pte` was cleared, and the flush is due. Under the page-table lock. (No run
/// puts off as many as make the count start again.)
pub fn set_tlb_ubc_flush_pending(cpu: &Cpu<'_>, mm: &Mm, pte: Entry) {
    if !pte_accessible(cpu, mm, pte) {
        return;
    }
    let _span = cpu.span("set_tlb_ubc_flush_pending");
    arch_tlbbatch_add_pending(cpu);
    let before = cpu.tlb_ubc.get();
    cpu.tlb_ubc.set(UnmapBatch {
        flush_required: true,
        // A dirty entry is taken to be a writable one.
        writable: before.writable || pte.is_dirty(),
    });
    atomic_add(cpu, mm.tlb_flush_batched, 1);
}

/// `arch_tlbbatch_add_pending`.
fn arch_tlbbatch_add_pending(cpu: &Cpu<'_>) {
    let arm64 = cpu.machine().kernel.profile.flush == TlbFlush::BroadcastThenBarrier;
    // ORDERING: DSB ISHST, between the cleared entry and the invalidation: no later access comes before the entry is visible.
    // Pairs with pin-barrier (P12), pincount-barrier (P17). Without it, and without the barrier of whoever looks: R03 A,
    // R08. Step `nosync-barrier`.
    if arm64 && cpu.does(Step::NosyncBarrier) {
        smp_mb(cpu);
    }
}

/// `try_to_unmap_flush`: what this task has put off.
pub fn try_to_unmap_flush(cpu: &Cpu<'_>) {
    if !cpu.tlb_ubc.get().flush_required {
        return;
    }
    cpu.tlb_ubc.set(UnmapBatch::NONE);
    if !cpu.does(Step::TlbFlush) {
        return;
    }
    let _span = cpu.span("try_to_unmap_flush");
    invalidate(cpu, false, |_, _| true);
}

/// `try_to_unmap_flush_dirty`: the same, if what was unmapped may have been written to.
pub fn try_to_unmap_flush_dirty(cpu: &Cpu<'_>) {
    // ORDERING: whoever writes by a translation that was there has done so before the contents are read. Pairs with the
    // section of whoever uses one. Without it: R54, a write is lost. Step `flush-before-writeout`.
    if cpu.tlb_ubc.get().writable && cpu.does(Step::FlushBeforeWriteout) {
        try_to_unmap_flush(cpu);
    }
}

/// `flush_tlb_batched_pending`: makes up for what others have put off in this mm. Under the page-table lock.
pub fn flush_tlb_batched_pending(cpu: &Cpu<'_>, mm: &Mm) {
    // ORDERING: the page-table lock's: whoever cleared an entry that is found cleared has noted before that a flush is due.
    // Pairs with set_tlb_ubc_flush_pending. Without it: R54. Step `flush-batched-pending`.
    if !cpu.does(Step::FlushBatchedPending) {
        return;
    }
    let batch = read_once(cpu, mm.tlb_flush_batched);
    let (pending, flushed) = (batch & PENDING, batch >> FLUSHED_SHIFT);
    if pending == flushed {
        return;
    }
    let _span = cpu.span("flush_tlb_batched_pending");
    arch_flush_tlb_batched_pending(cpu, mm);
    atomic_cmpxchg(
        cpu,
        mm.tlb_flush_batched,
        batch,
        pending | pending << FLUSHED_SHIFT,
    );
}

/// `arch_flush_tlb_batched_pending`.
fn arch_flush_tlb_batched_pending(cpu: &Cpu<'_>, mm: &Mm) {
    let arm64 = cpu.machine().kernel.profile.flush == TlbFlush::BroadcastThenBarrier;
    // ORDERING: a DSB waits for the invalidations that its own CPU has sent, and for nobody else's. Pairs with the section of
    // whoever uses a translation. Without an invalidation of its own, on arm64: R54. Step `pending-invalidates`.
    if arm64 && !cpu.does(Step::PendingInvalidates) {
        smp_mb(cpu);
    } else {
        invalidate(cpu, false, |of, _| of.pgd == mm.pgd);
    }
}
