//! khugepaged: small anonymous pages become a huge one (`collapse_huge_page`).
//!
//! # The order
//!
//! 0. the area is locked, where it has a lock of its own, and then the pmd is looked at (R22 b); the anon_vma lock is taken for
//!    writing, and held until 3 is over: nobody walks the mappings of a page that is under the table (M-P26);
//! 1. the pmd is cleared and flushed; the table below, and its entries, stay as they are (M-P11);
//! 2. every CPU is interrupted, and waited for: no walker is inside the table any more (M-P12);
//! 3. each page is locked, its references counted, and isolated; if anybody else has one, the pmd is put
//!    back and nothing happened;
//! 4. the pages are copied, their entries cleared, their references dropped;
//! 5. the table is deposited, and the huge entry installed.
//!
//! A page that cannot be read ends it between 3 and 4: the table is linked again, its pages still isolated and locked, and these are
//! given back afterwards.
//!
//! # What happens when a walker comes
//!
//! It is inside the table. Without 2 it pins a page through an entry that is unchanged, before or after 3:
//! - before: 3 sees the pin;
//! - after: nothing about the *entry* tells; the pmd does (P18, R02). And the table may by now be free,
//!   deposited, or somebody else's (R06).

use super::scan_result::{Scan, Tally};
use crate::cpu::{Cpu, flush_tlb_range, tlb_remove_table_sync_one};
use crate::folio::{
    Folio, Owner, Page, PageFlags, alloc_folio, copy_contents, folio_add_new_rmap_pmd, folio_get,
    folio_put, folio_ref_count_is, page_remove_rmap, set_page_flags, test_and_clear_page_flag,
};
use crate::lkmm::{read_once, read_once_is_below, smp_wmb};
use crate::machine::MmId;
use crate::mm::{Backing, Mm, VmFlags, Vma, page_set_anon, vma_start_write};
use crate::pgtable::{
    Bits, Entry, EntryPtr, Level, MAX_PTRS_PER_PTE, TableLock, find_entry, table_entry,
};
use crate::step::Step;
use crate::swap::free_swap_cache;
use crate::sync::Fault;
use arrayvec::ArrayVec;

/// The entries that are not none, with the pages that they map, locked and isolated; no page for the zero
/// page. As many as a pmd maps at the most.
type Isolated<'m> = ArrayVec<(Option<&'m Page>, EntryPtr<'m>), MAX_PTRS_PER_PTE>;

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
    let vma = match hugepage_vma_revalidate(cpu, mm, base) {
        Ok(vma) => vma,
        Err(scan) => return scan,
    };
    // ORDERING: the area's lock: who works in the area without the mmap lock has ended, or has not begun. Pairs with MADV_DONTNEED
    // under that lock. Until 366a4532d96f the area was locked after the look at the pmd. Without it: R22 b. Step `collapse-vma-lock`.
    let locks_first = cpu.does(Step::CollapseVmaLock);
    if locks_first {
        vma_start_write(cpu, mm, vma);
    }
    let (pmdp, before) = match find_pmd_or_thp_or_none(cpu, mm, base) {
        Ok(found) => found,
        Err(scan) => return scan,
    };
    if !locks_first {
        vma_start_write(cpu, mm, vma);
    }
    let mut isolated = Isolated::new();
    // ORDERING: no rmap walk is under way between the clear and the end of isolation, when all pages are locked. Pairs
    // with rmap-walk-lock (M-P24), split-rmap-lock (M-P25). Without it: migration entries are left behind. Step
    // `collapse-rmap-lock`.
    let excludes_rmap = cpu.does(Step::CollapseRmapLock);
    if excludes_rmap {
        mm.anon_vma.lock_write(cpu);
    }
    // ORDERING: the table is unlinked before references are counted. Pairs with pmd-recheck (P18). Without
    // it: R02. Step `collapse-clear-first`.
    let (pmd, scan) = if cpu.does(Step::CollapseClearFirst) {
        let pmd = unlink(cpu, mm, pmdp, base);
        (pmd, isolate_pages(cpu, vma, pmd, base, &mut isolated))
    } else {
        let scan = isolate_pages(cpu, vma, before, base, &mut isolated);
        (unlink(cpu, mm, pmdp, base), scan)
    };
    // pmd_pgtable: of a pmd that was none, too.
    let table = cpu.machine().page(pmd.pfn());
    if scan != Scan::Succeed {
        // pmd_populate. No write barrier: what the table holds was published when it was linked first.
        pmdp.lock().lock(cpu);
        bug_on_pmd(cpu, pmdp);
        pmdp.set_pmd(cpu, Entry::table(table.pfn));
        pmdp.lock().unlock(cpu);
    }
    if excludes_rmap {
        mm.anon_vma.unlock_write(cpu);
    }
    if scan != Scan::Succeed {
        return scan;
    }
    // __collapse_huge_page_copy
    let poisoned = |page: &Page| page.memory.poisoned;
    if isolated.iter().any(|(page, _)| page.is_some_and(poisoned)) {
        copy_failed(cpu, pmdp, pmd, &isolated);
        return Scan::CopyMc;
    }
    if vma.translations.is_some() {
        copy_pages(cpu, huge, &isolated);
    }
    copy_succeeded(cpu, table, &isolated);
    let write = vma.vm_flags(cpu).contains(VmFlags::WRITE);
    let huge = Entry::leaf(huge.head().pfn, write);
    install(cpu, mm, base, pmdp, table, huge);
    Scan::Succeed
}

/// `BUG_ON(!pmd_none(*pmd))`: nobody put anything where khugepaged cleared the pmd.
fn bug_on_pmd(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>) {
    if !pmdp.is(cpu, Entry::NONE) {
        let what = "a pmd that khugepaged cleared is none no more";
        cpu.fault(Fault::Bug { what, cell: None });
    }
}

/// `hugepage_vma_revalidate`: the area is still there, anonymous, and holds all of the range.
fn hugepage_vma_revalidate<'a>(cpu: &Cpu<'_>, mm: &'a Mm, base: u64) -> Result<&'a Vma, Scan> {
    let span = cpu.machine().geometry.span(Level::Pmd);
    let vma = mm.find_vma(cpu, base).ok_or(Scan::VmaNull)?;
    // transhuge_vma_suitable
    if base < vma.start || base + span > vma.end {
        return Err(Scan::AddressRange);
    }
    let anon = vma.backing == Backing::Anon && !vma.flags.contains(VmFlags::SHARED);
    anon.then_some(vma).ok_or(Scan::VmaCheck)
}

/// `find_pmd_or_thp_or_none`: the entry that links the table to collapse, and its value.
fn find_pmd_or_thp_or_none<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    base: u64,
) -> Result<(EntryPtr<'m>, Entry), Scan> {
    let pmdp = find_entry(cpu, mm, base, Level::Pmd).ok_or(Scan::PmdNull)?;
    let pmd = pmdp.read_once(cpu);
    if pmd.is_none() {
        Err(Scan::PmdNone)
    } else if !pmd.pmd_present() || pmd.is_devmap() {
        Err(Scan::PmdNull)
    } else if pmd.is_huge() {
        Err(Scan::PmdMapped)
    } else {
        Ok((pmdp, pmd))
    }
}

/// `pmdp_collapse_flush`, and the wait for walkers: what the pmd was.
fn unlink(cpu: &Cpu<'_>, mm: &Mm, pmdp: EntryPtr<'_>, base: u64) -> Entry {
    let span = cpu.span("pmdp_collapse_flush");
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get_and_clear(cpu);
    if cpu.machine().kernel.profile.collapse_ipi {
        // serialize_against_pte_lookup, for those who look entries up without locks: fast GUP is one of them.
        tlb_remove_table_sync_one(cpu);
    }
    let spanned = cpu.machine().geometry.span(Level::Pmd);
    flush_tlb_range(cpu, mm, base..base + spanned);
    pmdp.lock().unlock(cpu);
    drop(span);
    // ORDERING: a walker that read the link before it was cleared is out of the table when this returns.
    // Pairs with irqs-off-block-ipi (P3). Without it: R06; a walker that is still in the table has the pmd's recheck
    // alone. Step `collapse-sync-ipi`.
    if cpu.does(Step::CollapseSyncIpi) {
        tlb_remove_table_sync_one(cpu);
    }
    pmd
}

/// `__collapse_huge_page_isolate`, under the page-table lock. On failure it has put everything back.
fn isolate_pages<'m>(
    cpu: &Cpu<'m>,
    area: &Vma,
    pmd: Entry,
    base: u64,
    isolated: &mut Isolated<'m>,
) -> Scan {
    // pte_offset_map_lock, of what the pmd was.
    if pmd.is_none() {
        return Scan::PmdNull;
    }
    let _span = cpu.span("__collapse_huge_page_isolate");
    let machine = cpu.machine();
    let table = machine.page(pmd.pfn());
    let lock = TableLock::of(table);
    lock.lock(cpu);
    let mut ptep = table_entry(cpu, table.pfn, Level::Pte, base);
    let mut tally = Tally::new(area);
    let mut scan = Scan::Succeed;
    for _ in 0..machine.geometry.pages_per_pmd() {
        let pte = ptep.get(cpu);
        let zero = pte.pte_present() && machine.zero_page == Some(pte.pfn());
        scan = if zero || pte.is_none() {
            tally.none_or_zero(cpu)
        } else {
            isolate_page(cpu, pte, &mut tally)
        };
        if scan != Scan::Succeed {
            break;
        }
        if !pte.is_none() {
            isolated.push(((!zero).then(|| machine.page(pte.pfn())), ptep));
        }
        ptep = ptep.next();
    }
    if scan == Scan::Succeed {
        scan = tally.verdict(cpu);
    }
    if scan != Scan::Succeed {
        release_pages(cpu, isolated);
    }
    lock.unlock(cpu);
    scan
}

/// One page: lock it, count its references, take it off the LRU.
fn isolate_page(cpu: &Cpu<'_>, pte: Entry, tally: &mut Tally) -> Scan {
    // A prot-none entry is present: what a NUMA hint hides is collapsed like anything else.
    if !pte.pte_present() {
        return Scan::PteNonPresent;
    }
    if pte.is_uffd_wp() {
        return Scan::PteUffdWp;
    }
    if pte.is_special() || pte.is_devmap() {
        return Scan::PageNull;
    }
    let page = cpu.machine().page(pte.pfn());
    let limited = cpu.machine().khugepaged.is_some();
    if limited && !read_once_is_below(cpu, page.mapcount, 2) {
        let scan = tally.shared(cpu);
        if scan != Scan::Succeed {
            return scan;
        }
    }
    let folio = crate::folio::page_folio(cpu, page);
    if folio.test(cpu, PageFlags::HEAD) {
        return Scan::PageCompound;
    }
    if !folio.trylock(cpu) {
        return Scan::PageLock;
    }
    // is_refcount_suitable
    let mapped = read_once(cpu, page.mapcount);
    let expected = mapped + i32::from(folio.test(cpu, PageFlags::SWAP_CACHE));
    if !folio_ref_count_is(cpu, folio, expected) {
        folio.unlock(cpu);
        return Scan::PageCount;
    }
    // folio_isolate_lru
    if !test_and_clear_page_flag(cpu, page, PageFlags::LRU) {
        folio.unlock(cpu);
        return Scan::DelPageLru;
    }
    folio_get(cpu, folio);
    tally.referenced |= limited && (pte.is_young() || folio.test(cpu, PageFlags::REFERENCED));
    tally.writable |= pte.is_writable();
    Scan::Succeed
}

/// `release_pte_page`: unlocked, back on the LRU, the isolation's reference dropped.
fn release_page(cpu: &Cpu<'_>, page: &Page) {
    let folio = Folio::of(cpu.machine().page(page.pfn));
    folio.unlock(cpu);
    set_page_flags(cpu, page, PageFlags::LRU);
    folio_put(cpu, folio);
}

/// `release_pte_pages`: the last one first.
fn release_pages(cpu: &Cpu<'_>, isolated: &Isolated<'_>) {
    for page in isolated.iter().rev().filter_map(|&(page, _)| page) {
        release_page(cpu, page);
    }
}

/// `__collapse_huge_page_copy_failed`: the table is linked again, and then the pages are given back. The anon_vma lock is not held any
/// more: a walk of mappings that comes between the two meets pages that are locked.
fn copy_failed(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>, pmd: Entry, isolated: &Isolated<'_>) {
    let _span = cpu.span("__collapse_huge_page_copy_failed");
    pmdp.lock().lock(cpu);
    // pmd_populate
    pmdp.set_pmd(cpu, pmd);
    pmdp.lock().unlock(cpu);
    release_pages(cpu, isolated);
}

/// `copy_mc_user_highpage`, of each page; where nobody writes to them by translations, what they hold does not matter here.
fn copy_pages(cpu: &Cpu<'_>, huge: Folio<'_>, isolated: &Isolated<'_>) {
    let geometry = &cpu.machine().geometry;
    for &(page, ptep) in isolated {
        if let (Some(page), EntryPtr::InTable { index, .. }) = (page, ptep) {
            let nth = index as u32 % geometry.pages_per_pmd();
            let to = cpu.machine().page(huge.head().pfn.plus(nth));
            copy_contents(cpu, page, to);
        }
    }
}

/// `__collapse_huge_page_copy_succeeded`: the contents are in the huge page; the old pages go.
fn copy_succeeded(cpu: &Cpu<'_>, table: &Page, isolated: &Isolated<'_>) {
    let _span = cpu.span("__collapse_huge_page_copy_succeeded");
    let lock = TableLock::of(table);
    for &(page, ptep) in isolated {
        if let Some(page) = page {
            release_page(cpu, page);
        }
        lock.lock(cpu);
        // ptep_clear: an exchange, as ptep_get_and_clear is, though nobody looks at what was there.
        ptep.clear(cpu);
        if let Some(page) = page {
            page_remove_rmap(cpu, page);
        }
        lock.unlock(cpu);
        if let Some(page) = page {
            // free_page_and_swap_cache
            let folio = Folio::of(cpu.machine().page(page.pfn));
            if cpu.machine().swap_space().is_some() {
                free_swap_cache(cpu, folio);
            }
            folio_put(cpu, folio);
        }
    }
}

/// The huge entry in place of the table, which is deposited for the day the page is split.
fn install(cpu: &Cpu<'_>, mm: &Mm, base: u64, pmdp: EntryPtr<'_>, table: &Page, huge: Entry) {
    let head = cpu.machine().page(huge.pfn());
    // ORDERING: the copied contents, and the heads of the new folio, before the entry that makes them
    // reachable (__folio_mark_uptodate). Pairs with entry-read-once (P6). Without it, a pin of a page that does not look like one
    // of a large folio yet. Step `folio-publish-barrier`.
    if cpu.does(Step::FolioPublishBarrier) {
        smp_wmb(cpu);
    }
    pmdp.lock().lock(cpu);
    bug_on_pmd(cpu, pmdp);
    page_set_anon(cpu, head, mm, base);
    folio_add_new_rmap_pmd(cpu, Folio::of(head));
    set_page_flags(cpu, head, PageFlags::ANON_EXCLUSIVE | PageFlags::LRU);
    mm.deposit(cpu, table);
    // maybe_pmd_mkwrite(pmd_mkdirty(...))
    pmdp.set_pmd(cpu, huge.with(Bits::DIRTY).huge());
    pmdp.lock().unlock(cpu);
}
