//! Clearing the entries of a range: `unmap_page_range` down to `zap_pte_range`, and `MADV_DONTNEED`.

use crate::cpu::{Cpu, flush_tlb_batched_pending};
use crate::folio::{folio_remove_rmap_pmd, page_folio, page_remove_rmap};
use crate::machine::MmId;
use crate::mm::{Mm, MmuGather, is_huge_zero_pmd, split_huge_pmd};
use crate::pgtable::{
    Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pfn_swap_entry_to_page, pte_free,
    pte_offset_map_lock, pte_unmap_unlock,
};
use crate::swap::free_swap_and_cache;

/// `madvise(MADV_DONTNEED)` (`zap_page_range_single`): the pages of `start..end` go, the area and its
/// tables stay. Holds the mmap lock for reading.
pub fn madvise_dontneed(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    let _span = cpu.span("zap_page_range_single");
    let mm = cpu.machine().mm(mm);
    mm.read_lock(cpu);
    let mut tlb = MmuGather::new();
    unmap_page_range(cpu, mm, &mut tlb, start, end);
    tlb.finish(cpu);
    mm.read_unlock(cpu);
}

/// `unmap_page_range`, `zap_pmd_range`: clears every entry of the range and gathers what was mapped.
pub(crate) fn unmap_page_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    start: u64,
    end: u64,
) {
    let geometry = &cpu.machine().geometry;
    let mut addr = start;
    while addr < end {
        let next = geometry.addr_end(Level::Pmd, addr, end);
        if let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) {
            zap_pmd(cpu, mm, tlb, pmdp, addr, next);
        }
        addr = next;
    }
}

/// One turn of `zap_pmd_range`, until there is nothing at this pmd any more: a pmd that became huge meanwhile has no
/// entries to zap, and is looked at again.
fn zap_pmd<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    pmdp: EntryPtr<'m>,
    addr: u64,
    end: u64,
) {
    let whole = end - addr == cpu.machine().geometry.span(Level::Pmd);
    loop {
        if pmdp.is_huge_or_migration(cpu) {
            if !whole {
                split_huge_pmd(cpu, mm, pmdp, false, None);
            } else if zap_huge_pmd(cpu, mm, tlb, pmdp) {
                return;
            }
        }
        if pmdp.is(cpu, Entry::NONE) || zap_pte_range(cpu, mm, tlb, pmdp, addr, end) {
            return;
        }
    }
}

/// `zap_pte_range`. Whether there was a table.
fn zap_pte_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    pmdp: EntryPtr<'m>,
    addr: u64,
    end: u64,
) -> bool {
    let _span = cpu.span("zap_pte_range");
    let Some(first) = pte_offset_map_lock(cpu, pmdp, addr) else {
        return false;
    };
    flush_tlb_batched_pending(cpu, mm);
    let mut ptep = first;
    let mut at = addr;
    while at != end {
        let pte = ptep.get(cpu);
        if pte.pte_present() {
            let pte = ptep.get_and_clear(cpu);
            if pte.is_special() {
                tlb.remove_entry();
            } else {
                let page = cpu.machine().page(pte.pfn());
                page_remove_rmap(cpu, page);
                tlb.remove_page(page);
            }
        } else if !pte.is_none() {
            if let Some(slot) = pte.swap_slot() {
                free_swap_and_cache(cpu, slot);
            } else if pte.is_migration() {
                // What the kernel does with the page (its counters) is not modelled; that it looks at it is.
                pfn_swap_entry_to_page(cpu, pte);
            }
            // Whoever migrates finds the entry gone.
            ptep.set(cpu, Entry::NONE);
        }
        ptep = ptep.next();
        at += PAGE_SIZE;
    }
    pte_unmap_unlock(cpu, first);
    true
}

/// `zap_huge_pmd`: the mapping goes, and with it, at once, the table that was deposited for it. Whether
/// there was one.
fn zap_huge_pmd<'m>(cpu: &Cpu<'m>, mm: &Mm, tlb: &mut MmuGather<'m>, pmdp: EntryPtr<'m>) -> bool {
    let _span = cpu.span("zap_huge_pmd");
    pmdp.lock().lock(cpu);
    if !pmdp.is_huge_or_migration(cpu) {
        pmdp.lock().unlock(cpu);
        return false;
    }
    let pmd = pmdp.get_and_clear(cpu);
    if pmd.is_devmap() {
        // vma_is_special_huge: no reference, no map count, and no table was deposited.
        pmdp.lock().unlock(cpu);
        tlb.remove_entry();
        return true;
    }
    if pmd.is_migration() {
        // Whoever migrates finds the entry gone. It had neither reference nor map count.
        pfn_swap_entry_to_page(cpu, pmd);
        zap_deposited_table(cpu, mm);
        pmdp.lock().unlock(cpu);
        tlb.remove_entry();
        return true;
    }
    if is_huge_zero_pmd(cpu, pmd) {
        zap_deposited_table(cpu, mm);
        pmdp.lock().unlock(cpu);
        tlb.remove_entry();
        return true;
    }
    let head = cpu.machine().page(pmd.pfn());
    folio_remove_rmap_pmd(cpu, page_folio(cpu, head));
    zap_deposited_table(cpu, mm);
    pmdp.lock().unlock(cpu);
    tlb.remove_page(page_folio(cpu, head).head());
    true
}

/// `zap_deposited_table`: no walker can be inside, says the kernel, because collapse made sure of it.
fn zap_deposited_table(cpu: &Cpu<'_>, mm: &Mm) {
    if let Some(table) = mm.withdraw(cpu) {
        pte_free(cpu, table);
    }
}
