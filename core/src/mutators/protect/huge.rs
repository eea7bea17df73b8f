//! A huge pmd gets another protection: `change_huge_pmd`.
//!
//! # Never none
//!
//! NUMA hints are set with the mmap lock held for reading, and so is `MADV_DONTNEED` done, which looks at a pmd without
//! its lock: where it is none there is nothing to zap. So the pmd is made *invalid* while it is changed, which is huge still,
//! and never none (ced108037c2a).

use super::what::{Change, needs_flush};
use crate::arch::ProtectionFlush;
use crate::cpu::{Cpu, flush_tlb_range};
use crate::mm::{Mm, MmuGather, Vma, is_huge_zero_pmd};
use crate::pgtable::{Bits, EntryPtr, pfn_swap_entry_to_page};
use crate::step::Step;
use std::ops::Range;

/// `change_huge_pmd`. Whether the pmd was huge still, or a migration entry, once its lock was held.
pub(super) fn change_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    (mm, vma): (&Mm, &Vma),
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
    change: Change,
) -> bool {
    let _span = cpu.span("change_huge_pmd");
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get(cpu);
    if pmd.is_migration() {
        pfn_swap_entry_to_page(cpu, pmd);
        let new = change.of_swap_type(cpu, pmd);
        if new != pmd {
            pmdp.set_pmd(cpu, new);
        }
        pmdp.lock().unlock(cpu);
        return true;
    }
    let huge = pmd.is_huge();
    let hinted = || is_huge_zero_pmd(cpu, pmd) || pmd.is_prot_none();
    if huge && !(change == Change::NumaHint && hinted()) {
        // pmdp_invalidate_ad. ORDERING: none: the value. Pairs with the look of zap_pmd_range, without the lock. Without it:
        // MADV_DONTNEED passes over what is mapped. Step `change-huge-invalidates`.
        let old = if cpu.does(Step::ChangeHugeInvalidates) {
            pmdp.exchange(cpu, pmd.invalid())
        } else {
            pmdp.get_and_clear(cpu)
        };
        if cpu.machine().kernel.profile.protection_flush == ProtectionFlush::All {
            flush_tlb_range(cpu, mm, span.clone());
        }
        let new = change.of(cpu, vma, old);
        pmdp.set_pmd(cpu, new);
        if needs_flush(cpu, old, new) {
            tlb.remove_entry(span);
        }
    }
    pmdp.lock().unlock(cpu);
    huge
}

/// `clear_soft_dirty_pmd`'s `pmdp_invalidate`, and what it is put back as: write-protected, with what hardware has marked meanwhile.
pub(super) fn write_protect_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
) {
    let pmd = pmdp.get(cpu);
    let old = pmdp.exchange(cpu, pmd.invalid());
    flush_tlb_range(cpu, mm, span);
    let marks = (old.bits()).intersection(Bits::DIRTY | Bits::ACCESSED);
    pmdp.set_pmd(cpu, pmd.without(Bits::WRITE).with(marks));
}
