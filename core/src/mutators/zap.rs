//! Clearing the entries of a range: `unmap_page_range` down to `zap_pte_range`, and `MADV_DONTNEED`.
//!
//! # The order
//!
//! 1. under a table's lock each entry is cleared, and its page noted ([`MmuGather`]);
//! 2. where no more can be noted, the TLB is flushed before the lock is dropped, and the pages go after that; then the zap
//!    goes on where it was, and finds whatever came meanwhile;
//! 3. at the end the rest is flushed and freed.
//!
//! # What happens when a walker comes
//!
//! It pinned a page before 1: its reference keeps the page. After 1 its recheck fails. The table stays where it is, unless
//! the kernel is one that frees tables which a zap has emptied ([`reclaim_table`](super::reclaim_table), later than v6.8).

use super::reclaim_table::Reclaim;
use crate::cpu::{Cpu, flush_tlb_batched_pending};
use crate::folio::{folio_mark_dirty, folio_remove_rmap_pmd, page_folio, page_remove_rmap};
use crate::machine::MmId;
use crate::mm::{
    Mm, MmuGather, VmFlags, Vma, invalidate_range_end, invalidate_range_start, is_huge_zero_pmd,
    lock_vma_under_rcu, split_huge_pmd, vma_end_read,
};
use crate::pgtable::{
    Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pfn_swap_entry_to_page, pte_free,
    pte_offset_map_lock, pte_unmap_unlock,
};
use crate::swap::free_swap_and_cache;
use std::ops::Range;

/// `madvise(MADV_DONTNEED)`: the pages of `start..end` go, the area and its tables stay. Holds the mmap lock for reading.
pub fn madvise_dontneed(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    madvise(cpu, mm, start..end, false);
}

/// The same of a kernel that frees the tables that it empties (`details.reclaim_pt`, since v6.14).
pub fn madvise_dontneed_reclaim(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    madvise(cpu, mm, start..end, true);
}

/// The same of a kernel that takes the lock of the area alone (`MADVISE_VMA_READ_LOCK`, since v6.17), if it can. The area's lock is
/// dropped before the flush (`madvise_finish_tlb`), the mmap lock after it.
pub fn madvise_dontneed_vma(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    let mm = cpu.machine().mm(mm);
    // madvise_init_tlb
    let mut tlb = MmuGather::new(cpu, mm);
    let range = start..end;
    if let Some(vma) = try_vma_read_lock(cpu, mm, &range) {
        zap_page_range_single_batched(cpu, mm, &mut tlb, range, true);
        vma_end_read(cpu, vma);
        tlb.finish(cpu);
        return;
    }
    mm.read_lock(cpu);
    zap_page_range_single_batched(cpu, mm, &mut tlb, range, true);
    tlb.finish(cpu);
    mm.read_unlock(cpu);
}

/// `try_vma_read_lock`: the area's lock, unless the range goes beyond the area, or a userfaultfd watches it.
fn try_vma_read_lock<'m>(cpu: &Cpu<'m>, mm: &'m Mm, range: &Range<u64>) -> Option<&'m Vma> {
    let _span = cpu.span("try_vma_read_lock");
    let vma = lock_vma_under_rcu(cpu, mm, range.start)?;
    if range.end > vma.end || vma.flags.contains(VmFlags::UFFD_WP) {
        vma_end_read(cpu, vma);
        return None;
    }
    Some(vma)
}

fn madvise(cpu: &Cpu<'_>, id: MmId, range: Range<u64>, reclaim: bool) {
    let mm = cpu.machine().mm(id);
    mm.read_lock(cpu);
    zap_page_range_single(cpu, id, range, reclaim);
    mm.read_unlock(cpu);
}

/// `zap_page_range_single`: whoever calls it keeps the area where it is.
pub(super) fn zap_page_range_single(cpu: &Cpu<'_>, id: MmId, range: Range<u64>, reclaim: bool) {
    let _span = cpu.span("zap_page_range_single");
    let mm = cpu.machine().mm(id);
    let mut tlb = MmuGather::new(cpu, mm);
    zap_page_range_single_batched(cpu, mm, &mut tlb, range, reclaim);
    tlb.finish(cpu);
}

/// `zap_page_range_single_batched`: the flush is the caller's, who has the gathering.
fn zap_page_range_single_batched<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    range: Range<u64>,
    reclaim: bool,
) {
    invalidate_range_start(cpu, mm);
    zap_range(cpu, mm, tlb, range, reclaim);
    invalidate_range_end(cpu, mm);
}

/// `unmap_page_range`: clears every entry of the range and gathers what was mapped.
pub(crate) fn unmap_page_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    start: u64,
    end: u64,
) {
    zap_range(cpu, mm, tlb, start..end, false);
}

/// `zap_pmd_range`, and what is above it; with `reclaim` tables that are empty then go as well.
fn zap_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    range: Range<u64>,
    reclaim: bool,
) {
    let geometry = &cpu.machine().geometry;
    let mut addr = range.start;
    while addr < range.end {
        let next = geometry.addr_end(Level::Pmd, addr, range.end);
        // reclaim_pt_is_enabled
        let whole = next - addr == geometry.span(Level::Pmd);
        if let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) {
            let reclaim = (reclaim && whole).then(Reclaim::new);
            zap_pmd(cpu, mm, tlb, pmdp, addr..next, reclaim);
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
    range: Range<u64>,
    mut reclaim: Option<Reclaim>,
) {
    let Range { start, end } = range;
    let mut addr = start;
    while addr != end {
        if pmdp.is_huge_or_migration(cpu) {
            if end - addr != cpu.machine().geometry.span(Level::Pmd) {
                split_huge_pmd(cpu, mm, (pmdp, addr), false, None);
            } else if zap_huge_pmd(cpu, mm, tlb, pmdp, addr..end) {
                return;
            }
        }
        if pmdp.is(cpu, Entry::NONE) {
            return;
        }
        addr = zap_pte_range(cpu, mm, tlb, pmdp, addr..end, reclaim.as_mut());
    }
    if let Some(reclaim) = reclaim {
        reclaim.free(cpu, tlb, pmdp, start..end);
    }
}

/// `zap_pte_range`. How far it came: nowhere if there is no table, and not to the end if no more pages could be noted.
fn zap_pte_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    pmdp: EntryPtr<'m>,
    range: Range<u64>,
    reclaim: Option<&mut Reclaim>,
) -> u64 {
    let _span = cpu.span("zap_pte_range");
    let Some(first) = pte_offset_map_lock(cpu, pmdp, range.start) else {
        return range.start;
    };
    flush_tlb_batched_pending(cpu, mm);
    let mut ptep = first;
    let mut addr = range.start;
    let mut full = false;
    while addr != range.end && !full {
        full = zap_pte(cpu, tlb, ptep, addr);
        ptep = ptep.next();
        addr += PAGE_SIZE;
    }
    if let Some(reclaim) = reclaim {
        reclaim.zapped(cpu, pmdp, full, addr == range.end);
    }
    if full {
        tlb.flush_tlb_only(cpu);
    }
    pte_unmap_unlock(cpu, first);
    if full {
        tlb.flush(cpu);
    }
    addr
}

/// One entry, under its lock. Whether the gathering is full.
fn zap_pte<'m>(cpu: &Cpu<'m>, tlb: &mut MmuGather<'m>, ptep: EntryPtr<'m>, addr: u64) -> bool {
    let pte = ptep.get(cpu);
    if pte.pte_present() {
        let pte = ptep.get_and_clear_full(cpu, tlb.is_fullmm());
        tlb.remove_entry(addr..addr + PAGE_SIZE);
        if !pte.is_special() {
            let page = cpu.machine().page(pte.pfn());
            // Of a file the mark must not be lost. A machine without files is spared the question.
            if !cpu.machine().files.is_empty() && pte.is_dirty() {
                let folio = page_folio(cpu, page);
                if !folio.is_anon(cpu) {
                    folio_mark_dirty(cpu, folio.head());
                }
            }
            page_remove_rmap(cpu, page);
            return tlb.remove_page(cpu, page);
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
    false
}

/// `zap_huge_pmd`: the mapping goes, and with it, at once, the table that was deposited for it. Whether
/// there was one.
fn zap_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
) -> bool {
    let _span = cpu.span("zap_huge_pmd");
    pmdp.lock().lock(cpu);
    if !pmdp.is_huge_or_migration(cpu) {
        pmdp.lock().unlock(cpu);
        return false;
    }
    let pmd = pmdp.get_and_clear(cpu);
    tlb.remove_entry(span);
    if pmd.is_devmap() {
        // vma_is_special_huge: no reference, no map count, and no table was deposited.
        pmdp.lock().unlock(cpu);
        return true;
    }
    if pmd.is_migration() {
        // Whoever migrates finds the entry gone. It had neither reference nor map count.
        pfn_swap_entry_to_page(cpu, pmd);
        zap_deposited_table(cpu, mm);
        pmdp.lock().unlock(cpu);
        return true;
    }
    if is_huge_zero_pmd(cpu, pmd) {
        zap_deposited_table(cpu, mm);
        pmdp.lock().unlock(cpu);
        return true;
    }
    let head = cpu.machine().page(pmd.pfn());
    folio_remove_rmap_pmd(cpu, page_folio(cpu, head));
    zap_deposited_table(cpu, mm);
    pmdp.lock().unlock(cpu);
    if tlb.remove_page(cpu, page_folio(cpu, head).head()) {
        // tlb_remove_page_size
        tlb.flush(cpu);
    }
    true
}

/// `zap_deposited_table`: no walker can be inside, says the kernel, because collapse made sure of it.
fn zap_deposited_table(cpu: &Cpu<'_>, mm: &Mm) {
    if let Some(table) = mm.withdraw(cpu) {
        pte_free(cpu, table);
    }
}
