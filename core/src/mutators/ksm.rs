//! KSM: a page is merged with another of the same contents (`write_protect_page`, `replace_page`).
//!
//! # The order
//!
//! 0. the mmap lock is held for reading, the page is locked, and ksmd has a reference of it;
//! 1. the entry is cleared and flushed;
//! 2. only then are the references compared with what is known of: one for each mapping, ksmd's, the swap cache's. If there is
//!    another one, the entry is put back as it was;
//! 3. if the page is exclusive, it is asked whether it may be pinned, and the bit is cleared;
//! 4. the entry is put back, clean and read-only: the contents stay as they are from here on;
//! 5. with the lock of the table dropped in between, the entry is looked at again, and exchanged for one of the merged page.
//!
//! What is the same in the two pages is not modelled: they are taken to be identical.
//!
//! # What happens when a walker comes
//!
//! - before 1: 2 or 3 sees its reference;
//! - between 1 and 4: it finds nothing, or finds the entry changed at its recheck;
//! - after 4, with the entry from before in hand: a writable one has changed. **A read-only, clean one is the same as ever.** So a
//!   pin for reading, which 2 and 3 did not see, has the exclusive bit alone to go by: cleared at 3, before 4 (M-P9), and
//!   looked at after the recheck (P22).

use super::page_vma_mapped::{PageVmaMappedWalk, Sought};
use crate::cpu::{Cpu, mm_tlb_flush_pending};
use crate::folio::{
    Folio, Mapping, PageFlags, Pfn, folio_get, folio_mapped, folio_put, folio_ref_count_is,
    page_add_rmap, page_anon_exclusive, page_folio, page_remove_rmap, page_try_share_anon_rmap,
    set_page_flags,
};
use crate::lkmm::{read_once, write_once};
use crate::machine::MmId;
use crate::mm::{Mm, Vma, invalidate_range_end, invalidate_range_start};
use crate::pgtable::{
    Bits, Entry, EntryPtr, PAGE_SIZE, find_locked_pte, pte_unmap_unlock, ptep_clear_flush,
};
use crate::step::Step;
use crate::swap::{folio_free_swap, folio_test_swapcache};

/// `ksm_do_scan`, of the page at `addr`: it is merged with `kpage`, a page of KSM's that ksmd has a reference of; or, without one,
/// becomes KSM's itself. Whether it did.
pub fn ksm_merge(cpu: &Cpu<'_>, mm: MmId, addr: u64, kpage: Option<Pfn>) -> bool {
    let _span = cpu.span("ksm_do_scan");
    let mm = cpu.machine().mm(mm);
    mm.read_lock(cpu);
    let found = follow_page(cpu, mm, addr);
    mm.read_unlock(cpu);
    let Some(folio) = found else {
        return false;
    };
    // try_to_merge_with_ksm_page
    mm.read_lock(cpu);
    let merged = (mm.vma_lookup(cpu, addr))
        .is_some_and(|vma| try_to_merge_one_page(cpu, (mm, vma), addr, folio, kpage));
    mm.read_unlock(cpu);
    folio_put(cpu, folio);
    merged
}

/// `follow_page(FOLL_GET)`: the anonymous page that is mapped there, with a reference. (A page of KSM's is left alone.)
fn follow_page<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Option<Folio<'m>> {
    mm.vma_lookup(cpu, addr)?;
    let ptep = find_locked_pte(cpu, mm, addr)?;
    let pte = ptep.get(cpu);
    let folio = (pte.pte_present() && !pte.is_special())
        .then(|| page_folio(cpu, cpu.machine().page(pte.pfn())))
        .filter(|folio| read_once(cpu, folio.head().mapping) == Mapping::Anon);
    if let Some(folio) = folio {
        folio_get(cpu, folio);
    }
    pte_unmap_unlock(cpu, ptep);
    folio
}

/// `try_to_merge_one_page`, of a small page. (A large folio is left alone.)
fn try_to_merge_one_page<'m>(
    cpu: &Cpu<'m>,
    (mm, vma): (&Mm, &Vma),
    addr: u64,
    folio: Folio<'m>,
    kpage: Option<Pfn>,
) -> bool {
    let _span = cpu.span("try_to_merge_one_page");
    if !folio.trylock(cpu) {
        return false;
    }
    // The kernel splits it.
    if cpu.machine().large_folios && folio.test(cpu, PageFlags::HEAD) {
        folio.unlock(cpu);
        return false;
    }
    let merged = match (write_protect_page(cpu, mm, addr, folio), kpage) {
        (None, _) => false,
        (Some(pte), Some(kpage)) => replace_page(cpu, (mm, vma), addr, (folio, pte), kpage),
        (Some(_), None) => {
            // set_page_stable_node
            write_once(cpu, folio.head().mapping, Mapping::Ksm);
            set_page_flags(cpu, folio.head(), PageFlags::DIRTY);
            true
        }
    };
    folio.unlock(cpu);
    merged
}

/// `write_protect_page`: the entry as it is now, read-only and clean; `None` if it is not mapped there any more, or somebody
/// else has a reference.
fn write_protect_page<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64, folio: Folio<'m>) -> Option<Entry> {
    let _span = cpu.span("write_protect_page");
    let range = addr..addr + PAGE_SIZE;
    let sought = Sought::Mappings { sync: false };
    invalidate_range_start(cpu, mm);
    let mut walk = PageVmaMappedWalk::new(cpu, mm, folio, range, sought);
    let protected = walk.next().and_then(|ptep| {
        let protected = protect_mapped(cpu, (mm, addr), ptep, folio);
        walk.done();
        protected
    });
    invalidate_range_end(cpu, mm);
    protected
}

/// The same, of the entry that maps it, under its lock.
fn protect_mapped<'m>(
    cpu: &Cpu<'m>,
    place: (&Mm, u64),
    ptep: EntryPtr<'m>,
    folio: Folio<'m>,
) -> Option<Entry> {
    let exclusive = page_anon_exclusive(cpu, folio.head());
    let pte = ptep.get(cpu);
    // Where somebody's flush is due, the entry may be read-only, and a translation not.
    if pte.is_writable() || pte.is_dirty() || exclusive || mm_tlb_flush_pending(cpu, place.0) {
        protect(cpu, place, ptep, folio, exclusive)
    } else {
        Some(pte)
    }
}

/// The part that clears the entry, looks, and puts it back.
fn protect<'m>(
    cpu: &Cpu<'m>,
    (mm, addr): (&Mm, u64),
    ptep: EntryPtr<'m>,
    folio: Folio<'m>,
    exclusive: bool,
) -> Option<Entry> {
    let cached = folio_test_swapcache(cpu, folio);
    // ORDERING: the clear's and the flush's, as the profile has them, between the cleared entry and the look at the count. Pairs
    // with pin-barrier (P12). Without it: R09. Steps `clear-barrier`, `flush-barrier`. That the entry is cleared first: step
    // `ksm-clear-first`.
    let unused = || !cpu.does(Step::KsmCountsReferences) || has_no_other(cpu, folio, cached);
    let early = (!cpu.does(Step::KsmClearFirst)).then(unused);
    // What was there when it was cleared: hardware may have marked it since it was looked at.
    let pte = ptep_clear_flush(cpu, mm, addr, ptep);
    let unused = early.unwrap_or_else(unused);
    // Only what is exclusive can be pinned.
    if !unused || exclusive && !page_try_share_anon_rmap(cpu, folio, folio.head()) {
        ptep.set(cpu, pte);
        return None;
    }
    if pte.is_dirty() {
        set_page_flags(cpu, folio.head(), PageFlags::DIRTY);
    }
    let protected = pte.without(Bits::DIRTY | Bits::WRITE);
    ptep.set(cpu, protected);
    Some(protected)
}

/// Whether nobody has a reference but the mappings, ksmd, and the swap cache if it is in there.
fn has_no_other(cpu: &Cpu<'_>, folio: Folio<'_>, cached: bool) -> bool {
    let mapped = read_once(cpu, folio.head().mapcount);
    folio_ref_count_is(cpu, folio, mapped + 1 + i32::from(cached))
}

/// `replace_page`: maps `kpage` where the folio is mapped, if the entry is still the one that was left there.
fn replace_page<'m>(
    cpu: &Cpu<'m>,
    (mm, vma): (&Mm, &Vma),
    addr: u64,
    (folio, pte): (Folio<'m>, Entry),
    kpage: Pfn,
) -> bool {
    let _span = cpu.span("replace_page");
    invalidate_range_start(cpu, mm);
    let replaced = find_locked_pte(cpu, mm, addr)
        .is_some_and(|ptep| replace_mapped(cpu, (mm, vma), (addr, ptep), (folio, pte), kpage));
    invalidate_range_end(cpu, mm);
    replaced
}

/// The same, of the entry for that address, whose lock is held, and dropped.
fn replace_mapped<'m>(
    cpu: &Cpu<'m>,
    (mm, vma): (&Mm, &Vma),
    (addr, ptep): (u64, EntryPtr<'m>),
    (folio, pte): (Folio<'m>, Entry),
    kpage: Pfn,
) -> bool {
    let same = ptep.is_still(cpu, pte);
    if same {
        let merged = cpu.machine().page(kpage);
        folio_get(cpu, Folio::of(merged));
        page_add_rmap(cpu, merged);
        ptep_clear_flush(cpu, mm, addr, ptep);
        ptep.set(cpu, vma.mk_pte(cpu, kpage));
        page_remove_rmap(cpu, folio.head());
        if !folio_mapped(cpu, folio) {
            folio_free_swap(cpu, folio);
        }
        folio_put(cpu, folio);
    }
    pte_unmap_unlock(cpu, ptep);
    same
}
