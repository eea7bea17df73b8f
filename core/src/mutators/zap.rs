//! Clearing the entries of a range: `unmap_page_range` down to `zap_pte_range`, and `MADV_DONTNEED`.
//!
//! # The order
//!
//! 1. under a table's lock each entry is cleared, and its page noted ([`MmuGather`]);
//! 2. where no more can be noted, the TLB is flushed before the lock is dropped, and the pages go after that; then the zap
//!    goes on where it was, and finds whatever came meanwhile;
//! 3. at the end the rest is flushed and freed.
//!
//! Of a file's page that the entry says was written to, the map count goes after that flush, and before the lock is dropped: until
//! then somebody may write by a translation that says dirty already, and whoever cleans the page must find the mapping.
//!
//! Who takes pages out of a file may leave private copies alone ([`ZapDetails`]).
//!
//! # What happens when a walker comes
//!
//! It pinned a page before 1: its reference keeps the page. After 1 its recheck fails. The table stays where it is, unless
//! the kernel is one that frees tables which a zap has emptied ([`reclaim_table`](super::reclaim_table), later than v6.8).

use super::reclaim_table::Reclaim;
use super::zap_hugetlb::{hugetlb_area, hugetlb_zap, unmap_hugepage_range};
use super::zap_pud::zap_pud;
use crate::cpu::{Cpu, flush_tlb_batched_pending};
use crate::folio::{Page, folio_mark_dirty, folio_remove_rmap_pmd, page_folio, page_remove_rmap};
use crate::machine::MmId;
use crate::mm::{
    Mm, MmuGather, VmFlags, Vma, invalidate_range_end, invalidate_range_start, is_huge_zero_pmd,
    lock_vma_under_rcu, split_huge_pmd, vma_end_read,
};
use crate::pgtable::{
    Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pfn_swap_entry_to_page, pte_free,
    pte_offset_map_lock, pte_unmap_unlock,
};
use crate::step::Step;
use crate::swap::free_swap_and_cache;
use std::ops::Range;

/// `zap_details`: what goes.
#[derive(Clone, Copy)]
pub(super) struct ZapDetails {
    /// Private copies, and what is in swap space, too (`even_cows`).
    even_cows: bool,
    /// Tables that are empty then (`reclaim_pt`, since v6.14).
    reclaim_pt: bool,
}

impl ZapDetails {
    /// Everything.
    pub(super) const ALL: Self = Self {
        even_cows: true,
        reclaim_pt: false,
    };
    /// Everything, and the tables.
    const RECLAIM: Self = Self {
        even_cows: true,
        reclaim_pt: true,
    };
    /// Pages of a file, and no private copies of them.
    pub(super) const NO_COPIES: Self = Self {
        even_cows: false,
        reclaim_pt: false,
    };

    /// `should_zap_page`.
    fn should_zap_page(self, cpu: &Cpu<'_>, page: &Page) -> bool {
        // If nobody wants to know whose it is, nobody asks.
        self.even_cows || !page_folio(cpu, cpu.machine().page(page.pfn)).is_anon(cpu)
    }
}

/// `madvise(MADV_DONTNEED)`: the pages of `start..end` go, the area and its tables stay. Holds the mmap lock for reading.
pub fn madvise_dontneed(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    madvise(cpu, mm, start..end, ZapDetails::ALL);
}

/// The same of a kernel that frees the tables that it empties (`details.reclaim_pt`, since v6.14).
pub fn madvise_dontneed_reclaim(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    madvise(cpu, mm, start..end, ZapDetails::RECLAIM);
}

/// The same of a kernel that takes the lock of the area alone (`MADVISE_VMA_READ_LOCK`, since v6.17), if it can. The area's lock is
/// dropped before the flush (`madvise_finish_tlb`), the mmap lock after it.
pub fn madvise_dontneed_vma(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64) {
    let mm = cpu.machine().mm(mm);
    // madvise_init_tlb
    let mut tlb = MmuGather::new(cpu, mm);
    let range = start..end;
    if let Some(vma) = try_vma_read_lock(cpu, mm, &range) {
        zap_page_range_single_batched(cpu, mm, &mut tlb, range, ZapDetails::RECLAIM);
        vma_end_read(cpu, vma);
        tlb.finish(cpu);
        return;
    }
    mm.read_lock(cpu);
    zap_page_range_single_batched(cpu, mm, &mut tlb, range, ZapDetails::RECLAIM);
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

fn madvise(cpu: &Cpu<'_>, id: MmId, range: Range<u64>, details: ZapDetails) {
    let mm = cpu.machine().mm(id);
    mm.read_lock(cpu);
    zap_page_range_single(cpu, id, range, details);
    mm.read_unlock(cpu);
}

/// `zap_page_range_single`: whoever calls it keeps the area where it is.
pub(super) fn zap_page_range_single(
    cpu: &Cpu<'_>,
    id: MmId,
    range: Range<u64>,
    details: ZapDetails,
) {
    let _span = cpu.span("zap_page_range_single");
    let mm = cpu.machine().mm(id);
    hugetlb_zap(cpu, mm, range.start, || {
        let mut tlb = MmuGather::new(cpu, mm);
        zap_page_range_single_batched(cpu, mm, &mut tlb, range, details);
        tlb.finish(cpu);
    });
}

/// `zap_page_range_single_batched`: the flush is the caller's, who has the gathering.
fn zap_page_range_single_batched<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    range: Range<u64>,
    details: ZapDetails,
) {
    invalidate_range_start(cpu, mm);
    unmap_single_vma(cpu, mm, tlb, range, details);
    invalidate_range_end(cpu, mm);
}

/// `unmap_vmas`, of one area: clears every entry of the range and gathers what was mapped.
pub(crate) fn unmap_page_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    start: u64,
    end: u64,
) {
    hugetlb_zap(cpu, mm, start, || {
        unmap_single_vma(cpu, mm, tlb, start..end, ZapDetails::ALL);
    });
}

/// `unmap_single_vma`: hugetlb's areas have a zap of their own.
fn unmap_single_vma<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    range: Range<u64>,
    details: ZapDetails,
) {
    if hugetlb_area(cpu, mm, range.start).is_some() {
        unmap_hugepage_range(cpu, mm, tlb, range);
    } else {
        zap_range(cpu, mm, tlb, range, details);
    }
}

/// `zap_pmd_range`, and what is above it.
fn zap_range<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    range: Range<u64>,
    details: ZapDetails,
) {
    let geometry = &cpu.machine().geometry;
    let mut addr = range.start;
    while addr < range.end {
        let next = geometry.addr_end(Level::Pmd, addr, range.end);
        // reclaim_pt_is_enabled
        let whole = next - addr == geometry.span(Level::Pmd);
        if let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) {
            let reclaim = details.reclaim_pt && whole;
            let details = ZapDetails {
                reclaim_pt: reclaim,
                ..details
            };
            zap_pmd(cpu, mm, tlb, pmdp, addr..next, details);
        } else if let Some(span) = zap_pud(cpu, mm, tlb, addr) {
            addr = span.end.min(range.end);
            continue;
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
    details: ZapDetails,
) {
    let Range { start, end } = range;
    let mut reclaim = details.reclaim_pt.then(Reclaim::new);
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
        let range = addr..end;
        addr = zap_pte_range(cpu, mm, tlb, pmdp, range, (details, reclaim.as_mut()));
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
    (details, reclaim): (ZapDetails, Option<&mut Reclaim>),
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
        full = zap_pte(cpu, tlb, ptep, addr, details);
        ptep = ptep.next();
        addr += PAGE_SIZE;
    }
    if let Some(reclaim) = reclaim {
        reclaim.zapped(cpu, pmdp, full, addr == range.end);
    }
    let force_flush = full || tlb.delays_rmaps();
    if force_flush {
        tlb.flush_tlb_only(cpu);
        tlb.flush_rmaps(cpu);
    }
    pte_unmap_unlock(cpu, first);
    if force_flush {
        tlb.flush(cpu);
    }
    addr
}

/// One entry, under its lock. Whether the gathering is full.
fn zap_pte<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    ptep: EntryPtr<'m>,
    addr: u64,
    details: ZapDetails,
) -> bool {
    let pte = ptep.get(cpu);
    if pte.pte_present() {
        return zap_present_pte(cpu, tlb, (ptep, pte), addr, details);
    }
    let zaps = if pte.is_none() {
        false
    } else if let Some(slot) = pte.swap_slot() {
        // A private page, in swap space.
        if details.even_cows {
            free_swap_and_cache(cpu, slot);
        }
        details.even_cows
    } else if pte.is_migration() {
        // What the kernel does with the page (its counters) is not modelled; that it looks at it is.
        let page = pfn_swap_entry_to_page(cpu, pte);
        details.should_zap_page(cpu, page)
    } else {
        // is_hwpoison_entry
        details.even_cows
    };
    if zaps {
        // Whoever migrates finds the entry gone.
        ptep.set(cpu, Entry::NONE);
    }
    false
}

/// The same of one that is present.
fn zap_present_pte<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    (ptep, pte): (EntryPtr<'m>, Entry),
    addr: u64,
    details: ZapDetails,
) -> bool {
    // vm_normal_page
    let page = (!pte.is_special()).then(|| cpu.machine().page(pte.pfn()));
    if page.is_some_and(|page| !details.should_zap_page(cpu, page)) {
        return false;
    }
    let pte = ptep.get_and_clear_full(cpu, tlb.is_fullmm());
    tlb.remove_entry(addr..addr + PAGE_SIZE);
    let Some(page) = page else {
        return false;
    };
    // Of a file the mark must not be lost. A machine without files is spared the question.
    let may_be_files = !cpu.machine().files.is_empty() && pte.is_dirty();
    if may_be_files && !page_folio(cpu, page).is_anon(cpu) {
        folio_mark_dirty(cpu, page_folio(cpu, page).head());
        // ORDERING: the flush before the map count. Pairs with folio_mkclean, which looks for no mappings where none is counted. Without it:
        // R54, a write by a translation that was dirty comes after the page was written out. Step `rmap-after-flush`.
        if cpu.does(Step::RmapAfterFlush) {
            tlb.delay_rmap(page);
            return tlb.remove_page(cpu, page);
        }
    }
    page_remove_rmap(cpu, page);
    tlb.remove_page(cpu, page)
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
