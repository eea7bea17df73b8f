//! khugepaged: small anonymous pages become a huge one (`collapse_huge_page`).
//!
//! # The order
//!
//! 1. the pmd is cleared and flushed; the table below, and its entries, stay as they are (M-P11);
//! 2. every CPU is interrupted, and waited for: no walker is inside the table any more (M-P12);
//! 3. each page is locked, its references counted, and isolated; if anybody else has one, the pmd is put
//!    back and nothing happened;
//! 4. the pages are copied, their entries cleared, their references dropped;
//! 5. the table is deposited, and the huge entry installed.
//!
//! # What happens when a walker comes
//!
//! It is inside the table. Without 2 it pins a page through an entry that is unchanged, before or after 3:
//! - before: 3 sees the pin;
//! - after: nothing about the *entry* tells; the pmd does (P18, R02). And the table may by now be free,
//!   deposited, or somebody else's (R06).

use crate::cpu::{Cpu, flush_tlb, tlb_remove_table_sync_one};
use crate::folio::{
    Folio, Mapping, Owner, Page, PageFlags, alloc_folio, folio_get, folio_put, folio_ref_count,
    page_add_rmap, page_remove_rmap, set_page_flags, test_and_clear_page_flag,
};
use crate::lkmm::{read_once, smp_wmb, write_once};
use crate::machine::MmId;
use crate::mm::Mm;
use crate::pgtable::{Entry, EntryPtr, Level, find_entry, pmd_install, table_entry};
use crate::step::Step;
use arrayvec::ArrayVec;

/// `enum scan_result`: how a collapse ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// `SCAN_SUCCEED`.
    Succeed,
    /// `SCAN_VMA_CHECK`: the area is gone.
    VmaCheck,
    /// `SCAN_PMD_NULL`, `SCAN_PMD_MAPPED`: there is no table to collapse.
    PmdChanged,
    /// `SCAN_PTE_NON_PRESENT`.
    PteNonPresent,
    /// `SCAN_PAGE_COMPOUND`: part of a large folio. The kernel collapses some of those; the model none.
    PageCompound,
    /// `SCAN_PAGE_LOCK`.
    PageLock,
    /// `SCAN_PAGE_COUNT`: somebody holds a reference.
    PageCount,
    /// `SCAN_DEL_PAGE_LRU`: somebody else isolated it.
    DelPageLru,
    /// `SCAN_ALLOC_HUGE_PAGE_FAIL`.
    AllocHugePageFail,
}

impl Scan {
    /// Its name, as khugepaged's tracepoints have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeed => "succeeded",
            Self::VmaCheck => "vma_check",
            Self::PmdChanged => "pmd_changed",
            Self::PteNonPresent => "pte_non_present",
            Self::PageCompound => "page_compound",
            Self::PageLock => "page_locked",
            Self::PageCount => "page_count",
            Self::DelPageLru => "could_not_delete_page_from_lru",
            Self::AllocHugePageFail => "alloc_huge_page_failed",
        }
    }
}

/// The pages that are locked and isolated; as many as a pmd maps at the most.
type Isolated<'m> = ArrayVec<(&'m Page, EntryPtr<'m>), { crate::gup::MAX_PAGES }>;

/// `collapse_huge_page`, of the table that maps `base`. Starts where the huge page is allocated: the scan
/// and the swap-in before that only look.
pub fn collapse_huge_page(cpu: &Cpu<'_>, mm: MmId, base: u64) -> Scan {
    let _span = cpu.span("collapse_huge_page");
    let machine = cpu.machine();
    let order = machine.geometry.pages_per_pmd().trailing_zeros() as u8;
    let Some(huge) = alloc_folio(cpu, order, Owner::Us) else {
        return Scan::AllocHugePageFail;
    };
    let mm = machine.mm(mm);
    mm.write_lock(cpu);
    let scan = collapse_locked(cpu, mm, base, huge);
    mm.write_unlock(cpu);
    if scan != Scan::Succeed {
        folio_put(cpu, huge);
    }
    scan
}

/// With the mmap lock held for writing.
fn collapse_locked<'m>(cpu: &Cpu<'m>, mm: &Mm, base: u64, huge: Folio<'m>) -> Scan {
    if mm.vma_lookup(cpu, base).is_none() {
        return Scan::VmaCheck;
    }
    let Some(pmdp) = find_entry(cpu, mm, base, Level::Pmd) else {
        return Scan::PmdChanged;
    };
    let pmd = pmdp.read_once(cpu);
    if pmd.is_none() || pmd.is_huge() || !pmd.pmd_present() {
        return Scan::PmdChanged;
    }
    let table = cpu.machine().page(pmd.pfn());
    let mut isolated = Isolated::new();
    // ORDERING: the table is unlinked before references are counted. Pairs with pmd-recheck (P18). Without
    // it: R02. Step `collapse-clear-first`.
    let scan = if cpu.does(Step::CollapseClearFirst) {
        unlink(cpu, pmdp);
        isolate_pages(cpu, table, base, &mut isolated)
    } else {
        let scan = isolate_pages(cpu, table, base, &mut isolated);
        unlink(cpu, pmdp);
        scan
    };
    if scan != Scan::Succeed {
        release_pages(cpu, &isolated);
        pmdp.lock().lock(cpu);
        pmd_install(cpu, pmdp, table.pfn);
        pmdp.lock().unlock(cpu);
        return scan;
    }
    copy_succeeded(cpu, table, &isolated);
    install(cpu, mm, pmdp, table, huge);
    Scan::Succeed
}

/// `pmdp_collapse_flush`, and the wait for walkers.
fn unlink(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>) {
    let span = cpu.span("pmdp_collapse_flush");
    pmdp.lock().lock(cpu);
    pmdp.get_and_clear(cpu);
    flush_tlb(cpu);
    pmdp.lock().unlock(cpu);
    drop(span);
    // ORDERING: a walker that read the link before it was cleared is out of the table when this returns.
    // Pairs with irqs-off-block-ipi (P3). Without it: R06, and R02 rests on the pmd recheck alone. Step
    // `collapse-sync-ipi`.
    if cpu.does(Step::CollapseSyncIpi) {
        tlb_remove_table_sync_one(cpu);
    }
}

/// `__collapse_huge_page_isolate`, under the page-table lock.
fn isolate_pages<'m>(
    cpu: &Cpu<'m>,
    table: &'m Page,
    base: u64,
    isolated: &mut Isolated<'m>,
) -> Scan {
    let _span = cpu.span("__collapse_huge_page_isolate");
    let machine = cpu.machine();
    table.table.lock.lock(cpu);
    let mut ptep = table_entry(cpu, table.pfn, Level::Pte, base);
    let mut scan = Scan::Succeed;
    for _ in 0..machine.geometry.pages_per_pmd() {
        let pte = ptep.get(cpu);
        if !pte.is_none() && !pte.is_special() {
            scan = isolate_page(cpu, pte);
            if scan != Scan::Succeed {
                break;
            }
            isolated.push((machine.page(pte.pfn()), ptep));
        }
        ptep = ptep.next();
    }
    table.table.lock.unlock(cpu);
    scan
}

/// One page: lock it, count its references, take it off the LRU.
fn isolate_page(cpu: &Cpu<'_>, pte: Entry) -> Scan {
    if !pte.access_permitted(false) {
        return Scan::PteNonPresent;
    }
    let page = cpu.machine().page(pte.pfn());
    let folio = crate::folio::page_folio(cpu, page);
    if folio.test(cpu, PageFlags::HEAD) {
        return Scan::PageCompound;
    }
    if !folio.trylock(cpu) {
        return Scan::PageLock;
    }
    // is_refcount_suitable
    let expected = read_once(cpu, page.mapcount);
    if folio_ref_count(cpu, folio) != expected {
        folio.unlock(cpu);
        return Scan::PageCount;
    }
    // folio_isolate_lru
    if !test_and_clear_page_flag(cpu, page, PageFlags::LRU) {
        folio.unlock(cpu);
        return Scan::DelPageLru;
    }
    folio_get(cpu, folio);
    Scan::Succeed
}

/// `release_pte_page`: unlocked, back on the LRU, the isolation's reference dropped.
fn release_page(cpu: &Cpu<'_>, page: &Page) {
    let folio = Folio::of(cpu.machine().page(page.pfn));
    folio.unlock(cpu);
    set_page_flags(cpu, page, PageFlags::LRU);
    folio_put(cpu, folio);
}

/// `release_pte_pages`.
fn release_pages(cpu: &Cpu<'_>, isolated: &Isolated<'_>) {
    for (page, _) in isolated {
        release_page(cpu, page);
    }
}

/// `__collapse_huge_page_copy_succeeded`: the contents are in the huge page; the old pages go.
fn copy_succeeded(cpu: &Cpu<'_>, table: &Page, isolated: &Isolated<'_>) {
    let _span = cpu.span("__collapse_huge_page_copy_succeeded");
    for &(page, ptep) in isolated {
        release_page(cpu, page);
        table.table.lock.lock(cpu);
        ptep.set(cpu, Entry::NONE);
        page_remove_rmap(cpu, page);
        table.table.lock.unlock(cpu);
        folio_put(cpu, Folio::of(cpu.machine().page(page.pfn)));
    }
}

/// The huge entry in place of the table, which is deposited for the day the page is split.
fn install(cpu: &Cpu<'_>, mm: &Mm, pmdp: EntryPtr<'_>, table: &Page, huge: Folio<'_>) {
    let head = huge.head();
    // ORDERING: the copied contents before the entry that makes them reachable (__folio_mark_uptodate).
    smp_wmb(cpu);
    pmdp.lock().lock(cpu);
    write_once(cpu, head.mapping, Mapping::Anon);
    page_add_rmap(cpu, head);
    set_page_flags(cpu, head, PageFlags::ANON_EXCLUSIVE | PageFlags::LRU);
    mm.deposit(cpu, table);
    pmdp.set(cpu, Entry::leaf(head.pfn, true).huge());
    pmdp.lock().unlock(cpu);
}
