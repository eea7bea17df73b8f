//! A huge pmd becomes a table of PTEs: `__split_huge_pmd`.
//!
//! # The order
//!
//! 1. the pmd is made not-present, atomically, and flushed: no pin comes through it any more (M-P20);
//! 2. only then it is decided whether the page is exclusive, or may be shared;
//! 3. the deposited table is filled;
//! 4. a write barrier; 5. the table is linked (M-P1).
//!
//! A device's leaf is not split: no table was deposited for it. It is cleared and flushed, all of it, and the next faults map it
//! anew. So whoever zaps a part of it takes the rest away as well.

use super::Mm;
use crate::cpu::{Cpu, flush_tlb};
use crate::folio::{
    Folio, Page, folio_put, folio_ref_add, page_add_rmap, page_anon_exclusive, page_folio,
    page_remove_rmap, page_try_share_anon_rmap, set_page_anon_exclusive,
};
use crate::pgtable::{Bits, Entry, EntryPtr, pmd_install};
use crate::step::Step;
use crate::sync::Fault;

/// `__split_huge_pmd`: takes the pmd lock, and splits what is huge there. With `folio`, which the caller has locked, only if
/// it is that folio that is mapped: between the caller's look and the lock another one may have come in its place.
///
/// # Panics
/// As [`split_huge_pmd_locked`].
pub fn split_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    pmdp: EntryPtr<'m>,
    freeze: bool,
    folio: Option<Folio<'m>>,
) {
    let _span = cpu.span("__split_huge_pmd");
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get(cpu);
    if pmd.is_huge() {
        // No other folio's mapping becomes migration entries that nobody takes back. Without it: the entries of another
        // folio stay. Step `split-checks-folio`.
        let theirs = cpu.does(Step::SplitChecksFolio)
            && folio.is_some_and(|folio| folio != page_folio(cpu, cpu.machine().page(pmd.pfn())));
        if !theirs {
            split_huge_pmd_locked(cpu, mm, pmdp, freeze);
        }
    }
    pmdp.lock().unlock(cpu);
}

/// `__split_huge_pmd_locked`, under the pmd lock. With `freeze` the PTEs are migration entries, unless the page may be pinned.
///
/// # Panics
/// If no table was deposited for the huge mapping of ordinary memory, which is a defect of the scenario.
pub fn split_huge_pmd_locked<'m>(cpu: &Cpu<'m>, mm: &Mm, pmdp: EntryPtr<'m>, freeze: bool) {
    let _span = cpu.span("__split_huge_pmd_locked");
    let present = pmdp.get(cpu);
    if present.is_devmap() {
        // pmdp_huge_clear_flush; vma_is_special_huge: neither reference nor map count.
        pmdp.clear(cpu);
        flush_tlb(cpu);
        return;
    }
    // ORDERING: no pin through the huge entry once exclusivity is looked at. Pairs with the recheck of the
    // huge leaf (P19). Without it: R13. Step `split-invalidate-first`.
    let old = if cpu.does(Step::SplitInvalidateFirst) {
        let old = pmdp.exchange(cpu, present.invalid());
        flush_tlb(cpu);
        old
    } else {
        present
    };
    let head = cpu.machine().page(old.pfn());
    let folio = page_folio(cpu, head);
    let exclusive = page_anon_exclusive(cpu, head);
    let freeze = freeze && (!exclusive || page_try_share_anon_rmap(cpu, folio, head));
    let pages = cpu.machine().geometry.pages_per_pmd();
    if !freeze {
        folio_ref_add(cpu, folio, pages as i32 - 1);
    }
    let table = mm
        .withdraw(cpu)
        .expect("a huge mapping has a table deposited for it");
    fill(cpu, table, head, old, freeze, exclusive);
    page_remove_rmap(cpu, head);
    if freeze {
        folio_put(cpu, folio);
    }
    pmd_install(cpu, pmdp, table.pfn);
}

/// Fills the table with the PTEs of the pages that the huge entry mapped.
fn fill(cpu: &Cpu<'_>, table: &Page, head: &Page, old: Entry, freeze: bool, exclusive: bool) {
    let machine = cpu.machine();
    let mut ptep = EntryPtr::new(machine.page(table.pfn), 0);
    for n in 0..machine.geometry.pages_per_pmd() {
        let page = machine.page(head.pfn.plus(n));
        let mut entry = Entry::new(page.pfn, old.without(Bits::HUGE).bits());
        if freeze {
            entry = entry.migration(exclusive);
        } else {
            if exclusive {
                set_page_anon_exclusive(cpu, page);
            }
            page_add_rmap(cpu, page);
        }
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
