//! Clearing the entries of hugetlb's pages: `__unmap_hugepage_range`.
//!
//! # The rules
//!
//! 1. Such an area has no tables of PTEs, whatever the size of its pages: the entry of each page is looked for, and what is above it and
//!    not there is passed over.
//! 2. Under the entry's lock it is cleared, the mark is saved if it is dirty, and the map count goes, which orders nothing. No table was
//!    deposited.
//! 3. The page is noted once the lock is dropped. Where no more can be noted, the TLB is flushed, and the pages go.
//! 4. All of that is done with the file's `i_mmap` held for writing, and where only a part of an area goes, the flush as well. (In the kernel it
//!    keeps tables that areas share.)
//!
//! A migration entry, or that of a page that has failed, has neither reference nor map count: it is cleared, and the page is not looked at.
//!
//! # What happens when a walker comes
//!
//! As with other memory: its reference keeps the page, or its recheck fails.

use crate::cpu::Cpu;
use crate::folio::{folio_mark_dirty, hugetlb_remove_rmap, page_folio};
use crate::mm::{Backing, Mm, MmuGather, Vma, file_of};
use crate::pgtable::{Entry, hugetlb_walk};
use crate::sync::LockMode;
use std::ops::Range;

/// The area that `addr` is in, if it is one of hugetlb's (`is_vm_hugetlb_page`).
pub(super) fn hugetlb_area<'a>(cpu: &Cpu<'_>, mm: &'a Mm, addr: u64) -> Option<&'a Vma> {
    // A machine without hugetlb's pages is spared the question.
    cpu.machine().hugetlb?;
    let mut areas = mm.vmas.iter();
    areas.find(|vma| vma.contains(addr) && vma.backing == Backing::Hugetlb)
}

/// `hugetlb_zap_begin` and `hugetlb_zap_end`, around the zap of an area, if it is one of hugetlb's.
pub(super) fn hugetlb_zap(cpu: &Cpu<'_>, mm: &Mm, addr: u64, zap: impl FnOnce()) {
    let area = hugetlb_area(cpu, mm, addr);
    let file = area.and_then(|vma| file_of(cpu, vma));
    if let Some(file) = file {
        file.i_mmap.lock(cpu, LockMode::Exclusive);
    }
    zap();
    if let Some(file) = file {
        file.i_mmap.unlock(cpu, LockMode::Exclusive);
    }
}

/// `__unmap_hugepage_range`.
pub(super) fn unmap_hugepage_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    range: Range<u64>,
) {
    let _span = cpu.span("__unmap_hugepage_range");
    let size = cpu.machine().geometry.span(cpu.machine().hstate);
    let mut addr = range.start;
    while addr < range.end {
        let Some((ptr, span)) = hugetlb_walk(cpu, mm, addr) else {
            addr += size;
            continue;
        };
        ptr.lock().lock(cpu);
        let entry = ptr.get(cpu);
        let mut removed = None;
        if entry.pte_present() {
            let entry = ptr.get_and_clear(cpu);
            tlb.remove_entry(addr..addr + span);
            let folio = page_folio(cpu, cpu.machine().page(entry.pfn()));
            if entry.is_dirty() {
                folio_mark_dirty(cpu, folio.head());
            }
            hugetlb_remove_rmap(cpu, folio);
            removed = Some(folio);
        } else if !entry.is_none() {
            // huge_pte_clear
            ptr.set(cpu, Entry::NONE);
        }
        ptr.lock().unlock(cpu);
        // tlb_remove_page_size
        if let Some(folio) = removed
            && tlb.remove_page(cpu, folio.head())
        {
            tlb.flush(cpu);
        }
        addr += span;
    }
}
