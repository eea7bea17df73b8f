//! Soft-dirty: `/proc/PID/clear_refs` write-protects everything, so that the next write faults and is noticed.
//!
//! # What happens to a pin
//!
//! Who pinned a page for writing writes to it by DMA, which no entry stops. The entry is read-only now, and user space's next
//! write faults. That fault must map *this page* writable, and not a copy: the device would go on with the old one (R43). From
//! v5.19 on the page is exclusive, and so it is reused, whatever its count. Before, the count decided, and any pin made it
//! too high; so v5.11 left entries alone whose page looked pinned. But that look comes before the entry is changed, with
//! nothing in between: a pin may slip in, and from v5.19 on it carries nothing.

use super::huge::write_protect_huge_pmd;
use crate::boot::Area;
use crate::cpu::{Cpu, dec_tlb_flush_pending, flush_tlb_range, inc_tlb_flush_pending};
use crate::folio::{folio_maybe_dma_pinned, page_folio};
use crate::lkmm::read_once_is;
use crate::mm::{Mm, Vma};
use crate::pgtable::{
    Bits, Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pte_offset_map_lock, pte_unmap_unlock,
};
use crate::step::Step;
use std::ops::Range;

/// `clear_refs_write` of `CLEAR_REFS_SOFT_DIRTY`, of one area: with the mmap lock held for writing.
pub fn clear_refs(cpu: &Cpu<'_>, area: Area) {
    let _span = cpu.span("clear_refs_write");
    let mm = cpu.machine().mm(area.mm);
    let vma = &mm.vmas[area.vma];
    mm.write_lock(cpu);
    inc_tlb_flush_pending(cpu, mm);
    let mut addr = vma.start;
    while addr < vma.end {
        let next = cpu.machine().geometry.addr_end(Level::Pmd, addr, vma.end);
        if let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) {
            clear_refs_pte_range(cpu, mm, vma, pmdp, addr..next);
        }
        addr = next;
    }
    // flush_tlb_mm
    flush_tlb_range(cpu, mm, 0..u64::MAX);
    dec_tlb_flush_pending(cpu, mm);
    mm.write_unlock(cpu);
}

/// `clear_refs_pte_range`, as often as it takes.
fn clear_refs_pte_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    vma: &Vma,
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
) {
    // walk_pmd_range: nothing below a pmd that is none.
    while !pmdp.is(cpu, Entry::NONE) {
        // pmd_trans_huge_lock
        if pmdp.is_huge_or_migration(cpu) {
            pmdp.lock().lock(cpu);
            let there = pmdp.is_huge_or_migration(cpu);
            // A migration entry has a mark of its own, and nothing else changes.
            if there && pmdp.is_huge(cpu) {
                write_protect_huge_pmd(cpu, mm, pmdp, span.clone());
            }
            pmdp.lock().unlock(cpu);
            if there {
                return;
            }
        }
        if let Some(first) = pte_offset_map_lock(cpu, pmdp, span.start) {
            let mut ptep = first;
            for _ in 0..(span.end - span.start) / PAGE_SIZE {
                clear_soft_dirty(cpu, mm, vma, ptep);
                ptep = ptep.next();
            }
            pte_unmap_unlock(cpu, first);
            return;
        }
    }
}

/// `clear_soft_dirty`.
fn clear_soft_dirty(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma, ptep: EntryPtr<'_>) {
    let pte = ptep.get(cpu);
    if !pte.pte_present() || pte_is_pinned(cpu, mm, vma, pte) {
        return;
    }
    let old = ptep.get_and_clear(cpu);
    ptep.set(cpu, old.without(Bits::WRITE));
}

/// `pte_is_pinned`: a look, and nothing that makes a pin seen which comes right now.
fn pte_is_pinned(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma, pte: Entry) -> bool {
    // ORDERING: none. Pairs with nothing, which is why it was not enough. Step `soft-dirty-skips-pins`.
    cpu.does(Step::SoftDirtySkipsPins)
        && pte.is_writable()
        && vma.flags.is_cow()
        && read_once_is(cpu, mm.has_pinned, true)
        && !pte.is_special()
        && folio_maybe_dma_pinned(cpu, page_folio(cpu, cpu.machine().page(pte.pfn())))
}
