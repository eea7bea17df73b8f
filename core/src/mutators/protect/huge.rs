//! A huge pmd gets another protection: `change_huge_pmd`.
//!
//! # Never none
//!
//! NUMA hints are set with the mmap lock held for reading, and so is `MADV_DONTNEED` done, which looks at a pmd without
//! its lock: where it is none there is nothing to zap. So the pmd is made *invalid* while it is changed, which is huge still,
//! and never none (ced108037c2a).

use super::what::{Change, needs_flush};
use crate::cpu::{Cpu, flush_tlb_range};
use crate::mm::{Mm, MmuGather, Vma};
use crate::pgtable::{Bits, EntryPtr};
use crate::step::Step;
use std::ops::Range;

/// `change_huge_pmd`. Whether the pmd was huge still, or a migration entry, once its lock was held.
pub(super) fn change_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    vma: &Vma,
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
    change: Change,
) -> bool {
    let _span = cpu.span("change_huge_pmd");
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get(cpu);
    if pmd.is_migration() {
        // It maps the page read-only again, if it is not to be written any more.
        if pmd.is_writable() {
            pmdp.set(cpu, pmd.without(Bits::WRITE));
        }
        pmdp.lock().unlock(cpu);
        return true;
    }
    let huge = pmd.is_huge();
    if huge && !(change == Change::NumaHint && pmd.is_prot_none()) {
        // pmdp_invalidate_ad. ORDERING: none: the value. Pairs with the look of zap_pmd_range, without the lock. Without it:
        // MADV_DONTNEED passes over what is mapped. Step `change-huge-invalidates`.
        let old = if cpu.does(Step::ChangeHugeInvalidates) {
            pmdp.exchange(cpu, pmd.invalid())
        } else {
            pmdp.get_and_clear(cpu)
        };
        let new = change.of(cpu, vma, old);
        pmdp.set(cpu, new);
        if needs_flush(old, new) {
            tlb.remove_entry(span);
        }
    }
    pmdp.lock().unlock(cpu);
    huge
}

/// `clear_soft_dirty_pmd`'s `pmdp_invalidate`, and what it is put back as: write-protected.
pub(super) fn write_protect_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
) {
    let pmd = pmdp.get(cpu);
    pmdp.exchange(cpu, pmd.invalid());
    flush_tlb_range(cpu, mm, span);
    pmdp.set(cpu, pmd.without(Bits::WRITE));
}
