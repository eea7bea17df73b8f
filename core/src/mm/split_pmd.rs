//! A huge pmd becomes a table of PTEs: `__split_huge_pmd`.
//!
//! # The order
//!
//! 1. the pmd is made not-present, atomically, and flushed: no pin comes through it any more (M-P20);
//! 2. only then it is decided whether the page is exclusive, or may be shared;
//! 3. the deposited table is filled;
//! 4. a write barrier; 5. the table is linked (M-P1).
//!
//! What the PTEs permit is what the area permits now, and a write where the pmd permitted one: a NUMA hint is gone.
//!
//! A migration entry is split likewise, into migration entries, and there is nothing to decide. The huge zero page's pmd is cleared, and
//! becomes PTEs of the small zero page.
//!
//! A device's leaf is not split: no table was deposited for it. It is cleared and flushed, all of it, and the next faults map it
//! anew. So whoever zaps a part of it takes the rest away as well.

use super::{Mm, is_huge_zero_pmd};
use crate::cpu::{Cpu, flush_tlb_range};
use crate::folio::{
    Folio, Page, Pfn, folio_get, folio_lock, folio_put, folio_ref_add, folio_remove_rmap_pmd,
    page_add_rmap, page_anon_exclusive, page_folio, page_try_share_anon_rmap,
    set_page_anon_exclusive,
};
use crate::pgtable::{Bits, Entry, EntryPtr, Level, pfn_swap_entry_to_page, pmd_install};
use crate::step::Step;
use crate::sync::Fault;

/// `__split_huge_pmd`: takes the pmd lock, and splits what is huge there, or a migration entry of what was. With `folio`, which the
/// caller has locked, only if it is that folio that is mapped: between the caller's look and the lock another one may have come in
/// its place. The pmd is given with an address in its area.
///
/// # Panics
/// As [`split_huge_pmd_locked`].
pub fn split_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    (pmdp, addr): (EntryPtr<'m>, u64),
    freeze: bool,
    folio: Option<Folio<'m>>,
) {
    let _span = cpu.span("__split_huge_pmd");
    pmdp.lock().lock(cpu);
    // ORDERING: the folio's lock, inside which alone map counts are moved, and decide. Pairs with do_huge_pmd_wp_page. Without it:
    // R42. Step `split-page-lock`, of kernels in which map counts decide.
    let counts_decide = !cpu.does(Step::HugeReuseByReferences) && cpu.does(Step::SplitPageLock);
    let locked = if counts_decide && folio.is_none() {
        lock_mapped_folio(cpu, pmdp)
    } else {
        None
    };
    let pmd = pmdp.get(cpu);
    if pmd.is_huge() || pmd.is_migration() {
        let theirs = folio.is_some_and(|folio| !maps_folio(cpu, pmd, folio));
        if !theirs {
            split_huge_pmd_locked(cpu, mm, (pmdp, addr), freeze);
        }
    }
    pmdp.lock().unlock(cpu);
    if let Some(folio) = locked {
        folio.unlock(cpu);
    }
}

/// v5.8's: the folio that the pmd maps, locked, with the pmd lock held as before. It is dropped for the wait, and what was read before
/// is read again.
fn lock_mapped_folio<'m>(cpu: &Cpu<'m>, pmdp: EntryPtr<'m>) -> Option<Folio<'m>> {
    // Each turn but the last saw somebody else change the pmd.
    loop {
        let pmd = pmdp.get(cpu);
        if !pmd.is_huge() || pmd.is_devmap() {
            return None;
        }
        let folio = Folio::of(cpu.machine().page(pmd.pfn()));
        if folio.trylock(cpu) {
            return Some(folio);
        }
        folio_get(cpu, folio);
        pmdp.lock().unlock(cpu);
        folio_lock(cpu, folio);
        pmdp.lock().lock(cpu);
        let same = pmdp.is(cpu, pmd);
        if !same {
            folio.unlock(cpu);
        }
        folio_put(cpu, folio);
        if same {
            return Some(folio);
        }
    }
}

/// Whether the pmd maps this folio, which the caller has locked.
fn maps_folio(cpu: &Cpu<'_>, pmd: Entry, folio: Folio<'_>) -> bool {
    // The folio of a migration entry is locked by whoever put the entry there, and so it is another one. v6.6 and v6.8 go on, and
    // look for the struct page of what is no frame. Step `split-skips-migration`.
    if pmd.is_migration() && cpu.does(Step::SplitSkipsMigration) {
        return false;
    }
    // No other folio's mapping becomes migration entries that nobody takes back. Without it: the entries of another
    // folio stay. Step `split-checks-folio`.
    !cpu.does(Step::SplitChecksFolio) || folio == page_folio(cpu, pmd_page(cpu, pmd))
}

/// `pmd_page`: the page that a present pmd maps. Of a migration entry the bits where the frame should be are others (on x86 they are
/// inverted), and name none.
pub(crate) fn pmd_page<'m>(cpu: &Cpu<'m>, pmd: Entry) -> &'m Page {
    if pmd.is_migration() {
        cpu.pfn_to_page(Pfn(!pmd.pfn().0))
    } else {
        cpu.machine().page(pmd.pfn())
    }
}

/// `pmdp_invalidate`, before exclusivity is looked at: what the pmd was that is not present now.
#[track_caller]
pub fn pmdp_invalidate(
    cpu: &Cpu<'_>,
    mm: &Mm,
    (pmdp, addr): (EntryPtr<'_>, u64),
    present: Entry,
) -> Entry {
    // ORDERING: no pin through the huge entry once exclusivity is looked at. Pairs with the recheck of the
    // huge leaf (P19). Without it: R13, and a pin of a huge page that moves away. Step `split-invalidate-first`.
    if !cpu.does(Step::SplitInvalidateFirst) {
        return present;
    }
    let old = pmdp.exchange(cpu, present.invalid());
    flush_pmd(cpu, mm, addr);
    old
}

/// `__split_huge_pmd_locked`, under the pmd lock. With `freeze` the PTEs are migration entries, unless the page may be pinned.
///
/// # Panics
/// If no table was deposited for the huge mapping of ordinary memory, which is a defect of the scenario.
pub fn split_huge_pmd_locked<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    (pmdp, addr): (EntryPtr<'m>, u64),
    freeze: bool,
) {
    let _span = cpu.span("__split_huge_pmd_locked");
    let present = pmdp.get(cpu);
    if present.is_devmap() {
        // pmdp_huge_clear_flush; vma_is_special_huge: neither reference nor map count.
        pmdp.clear(cpu);
        flush_pmd(cpu, mm, addr);
        return;
    }
    if is_huge_zero_pmd(cpu, present) {
        return split_huge_zero_pmd(cpu, mm, (pmdp, addr), present);
    }
    let old = pmdp_invalidate(cpu, mm, (pmdp, addr), present);
    if old.is_migration() {
        return split_migration_entry(cpu, mm, pmdp, old);
    }
    let head = cpu.machine().page(old.pfn());
    let folio = page_folio(cpu, head);
    let exclusive = page_anon_exclusive(cpu, head);
    let freeze = freeze && (!exclusive || page_try_share_anon_rmap(cpu, folio, head));
    let pages = cpu.machine().geometry.pages_per_pmd();
    if !freeze {
        folio_ref_add(cpu, folio, pages as i32 - 1);
    }
    let table = withdraw(cpu, mm);
    fill(cpu, table, |n| {
        let page = cpu.machine().page(head.pfn.plus(n));
        let pte = Entry::new(page.pfn, old.without(Bits::HUGE).bits());
        if freeze {
            return pte.migration(exclusive);
        }
        // mk_pte, and pte_mkwrite if it was: a NUMA hint is not passed on.
        let write = pte.bits().intersection(Bits::WRITE);
        let pte = mm.protected_by_area(cpu, addr, pte).with(write);
        if exclusive {
            set_page_anon_exclusive(cpu, page);
        }
        page_add_rmap(cpu, page);
        pte
    });
    folio_remove_rmap_pmd(cpu, folio);
    if freeze {
        folio_put(cpu, folio);
    }
    pmd_install(cpu, pmdp, table.pfn);
}

/// `flush_pmd_tlb_range`, of all that the pmd of `addr` spans.
#[track_caller]
fn flush_pmd(cpu: &Cpu<'_>, mm: &Mm, addr: u64) {
    let span = cpu.machine().geometry.span(Level::Pmd);
    let start = addr & !(span - 1);
    flush_tlb_range(cpu, mm, start..start + span);
}

/// `pgtable_trans_huge_withdraw`.
fn withdraw<'m>(cpu: &Cpu<'m>, mm: &Mm) -> &'m Page {
    mm.withdraw(cpu)
        .expect("a huge mapping has a table deposited for it")
}

/// A pmd migration entry becomes one for each page. No reference and no map count stand for it.
fn split_migration_entry(cpu: &Cpu<'_>, mm: &Mm, pmdp: EntryPtr<'_>, old: Entry) {
    let head = pfn_swap_entry_to_page(cpu, old);
    let table = withdraw(cpu, mm);
    fill(cpu, table, |n| Entry::new(head.pfn.plus(n), old.bits()));
    pmd_install(cpu, pmdp, table.pfn);
}

/// `__split_huge_zero_page_pmd`: PTEs of the small zero page, which no reference and no map count stand for either. The pmd is cleared
/// meanwhile: there is no page to decide anything about.
///
/// # Panics
/// If the machine has no small zero page, which is a defect of the scenario.
fn split_huge_zero_pmd(cpu: &Cpu<'_>, mm: &Mm, (pmdp, addr): (EntryPtr<'_>, u64), old: Entry) {
    let _span = cpu.span("__split_huge_zero_page_pmd");
    pmdp.clear(cpu);
    flush_pmd(cpu, mm, addr);
    let table = withdraw(cpu, mm);
    let small = cpu
        .machine()
        .zero_page
        .expect("every kernel has a zero page");
    let watched = old.bits().intersection(Bits::UFFD_WP);
    let pte = Entry::leaf(small, false).with(Bits::SPECIAL | watched);
    fill(cpu, table, |_| mm.protected_by_area(cpu, addr, pte));
    pmd_install(cpu, pmdp, table.pfn);
}

/// Fills the table with a PTE for each page that the huge entry mapped.
fn fill(cpu: &Cpu<'_>, table: &Page, pte: impl Fn(u32) -> Entry) {
    let machine = cpu.machine();
    let mut ptep = EntryPtr::new(machine.page(table.pfn), 0);
    for n in 0..machine.geometry.pages_per_pmd() {
        let entry = pte(n);
        if !ptep.is(cpu, Entry::NONE) {
            cpu.fault(Fault::Bug {
                what: "a table that was deposited has entries",
                cell: Some(table.table.entries[n as usize].id()),
            });
        }
        ptep.set(cpu, entry);
        ptep = ptep.next();
    }
}
