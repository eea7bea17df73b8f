//! A huge page moves to another node, as it was done from v3.8 to v5.13 (`migrate_misplaced_transhuge_page`): without a migration
//! entry, which pmds did not have at first. What keeps everybody away is the NUMA hint.
//!
//! # The order
//!
//! 1. A fault finds a hint in the pmd, locks the page, and isolates it.
//! 2. The contents are copied. The hint is there still, so nobody can write to the page: that is all that protects the copy.
//! 3. Under the pmd lock the pmd must be the same, and nobody may have a reference but the mapping and the isolation.
//! 4. The pmd is cleared and flushed, and set to the new page. Then the references are looked at once more: who took one before the
//!    flush makes it all go back.
//! 5. The old mapping and its references go.
//!
//! # What happens when a walker comes
//!
//! It refuses a hint, and the slow path waits in a fault for the page's lock. A walker that takes the page all the same before 3 is
//! seen by 3 if it is still there; if it has written to the page and dropped it by then, what it wrote is not in the copy (2b4847e73004).
//!
//! # What the kernel does besides
//!
//! - It looks at the references after the isolation as well, before anything is copied (`numamigrate_isolate_page`), and leaves a page
//!   alone of which somebody has one. Here 3 is the first look.
//! - It flushes before the copy, if somebody has a flush of the mm pending (`mm_tlb_flush_pending`): the hint may be one that is not
//!   flushed yet. Here who sets the hint has flushed it by then.
//! - It tells secondary MMUs, before the pmd is locked and after (`mmu_notifier_invalidate_range_start`). Here nobody is told.

use super::folio_migrate::folio_copy;
use crate::cpu::{Cpu, flush_tlb_range};
use crate::folio::{
    Folio, Owner, PageFlags, alloc_folio, folio_add_new_rmap_pmd, folio_get, folio_put,
    folio_ref_count_is, folio_remove_rmap_pmd, page_folio, set_page_flags,
    test_and_clear_page_flag,
};
use crate::lkmm::smp_wmb;
use crate::machine::MmId;
use crate::mm::{Mm, page_set_anon};
use crate::pgtable::{Bits, Entry, EntryPtr, Level, find_entry};
use crate::step::Step;

/// `do_huge_pmd_numa_page`, of a page that should be on another node: whether it moved.
pub fn migrate_misplaced_huge_page(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> bool {
    let _span = cpu.span("do_huge_pmd_numa_page");
    let mm = cpu.machine().mm(mm);
    mm.read_lock(cpu);
    let moved = find_entry(cpu, mm, addr, Level::Pmd).is_some_and(|pmdp| {
        let found = lock_page_of_hint(cpu, pmdp);
        found.is_some_and(|(pmd, old)| {
            migrate_misplaced_transhuge_page(cpu, mm, (pmdp, pmd), old, addr)
        })
    });
    mm.read_unlock(cpu);
    moved
}

/// The page that a hint hides, locked and with a reference. (The kernel drops the pmd lock before it has the anon_vma's, and looks at the
/// pmd again; and waits where the page is locked.)
fn lock_page_of_hint<'m>(cpu: &Cpu<'m>, pmdp: EntryPtr<'m>) -> Option<(Entry, Folio<'m>)> {
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get(cpu);
    let hint = pmd.is_huge() && pmd.is_prot_none();
    let folio = hint
        .then(|| page_folio(cpu, cpu.machine().page(pmd.pfn())))
        .filter(|folio| folio.trylock(cpu));
    if let Some(folio) = folio {
        folio_get(cpu, folio);
    }
    pmdp.lock().unlock(cpu);
    folio.map(|folio| (pmd, folio))
}

/// `migrate_misplaced_transhuge_page`: whether it moved. The page is locked, and the caller's reference goes.
fn migrate_misplaced_transhuge_page<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    (pmdp, pmd): (EntryPtr<'m>, Entry),
    old: Folio<'m>,
    addr: u64,
) -> bool {
    let _span = cpu.span("migrate_misplaced_transhuge_page");
    let order = cpu.machine().geometry.pages_per_pmd().trailing_zeros() as u8;
    let new = alloc_folio(cpu, order, Owner::Us);
    // numamigrate_isolate_page
    let isolated = new.filter(|_| test_and_clear_page_flag(cpu, old.head(), PageFlags::LRU));
    let Some(new_page) = isolated else {
        if let Some(new) = new {
            folio_put(cpu, new);
        }
        take_hint_back(cpu, pmdp, pmd);
        old.unlock(cpu);
        folio_put(cpu, old);
        return false;
    };
    // ORDERING: none: the hint keeps everybody away who could write. Pairs with prot-none-refused (P30). Without that: R45, a
    // write is lost. Step `prot-none-refused`.
    folio_copy(cpu, old, new_page);
    // ORDERING: the copy before the entry that makes it reachable (SetPageUptodate). Pairs with entry-read-once (P6). Without it, where
    // no flush stands between: a copy that comes after what was written to the new page. Step `folio-publish-barrier`.
    if cpu.does(Step::FolioPublishBarrier) {
        smp_wmb(cpu);
    }
    pmdp.lock().lock(cpu);
    let moved = pmdp.is(cpu, pmd)
        && folio_ref_count_is(cpu, old, 2)
        && exchange(cpu, mm, (pmdp, pmd), (old, new_page), addr);
    pmdp.lock().unlock(cpu);
    if moved {
        set_page_flags(cpu, new_page.head(), PageFlags::LRU);
        old.unlock(cpu);
        // The mapping's, and the isolation's.
        folio_put(cpu, old);
    } else {
        folio_put(cpu, new_page);
        // putback_lru_page
        set_page_flags(cpu, old.head(), PageFlags::LRU);
        old.unlock(cpu);
    }
    folio_put(cpu, old);
    moved
}

/// Under the pmd lock: the entry maps the new page, unless somebody has a reference of the old one once it is flushed.
fn exchange<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    (pmdp, pmd): (EntryPtr<'m>, Entry),
    (old, new): (Folio<'m>, Folio<'m>),
    addr: u64,
) -> bool {
    let span = addr..addr + cpu.machine().geometry.span(Level::Pmd);
    let entry = Entry::leaf(new.head().pfn, true).with(Bits::DIRTY).huge();
    page_set_anon(cpu, new.head(), mm, addr);
    folio_add_new_rmap_pmd(cpu, new);
    set_page_flags(cpu, new.head(), PageFlags::ANON_EXCLUSIVE);
    pmdp.get_and_clear(cpu);
    flush_tlb_range(cpu, mm, span.clone());
    pmdp.set_pmd(cpu, entry);
    flush_tlb_range(cpu, mm, span.clone());
    let alone = folio_ref_count_is(cpu, old, 2);
    if alone {
        folio_remove_rmap_pmd(cpu, old);
    } else {
        pmdp.set_pmd(cpu, pmd);
        flush_tlb_range(cpu, mm, span);
        folio_remove_rmap_pmd(cpu, new);
    }
    alone
}

/// It could not be moved: the page is mapped as it was before the hint.
fn take_hint_back(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>, pmd: Entry) {
    pmdp.lock().lock(cpu);
    if pmdp.is(cpu, pmd) {
        pmdp.set_pmd(cpu, pmd.protected(true));
    }
    pmdp.lock().unlock(cpu);
}
