//! The mappings of a folio, by way of its anon_vma: to migration entries and back (`try_to_migrate` and
//! `remove_migration_ptes`).
//!
//! # What happens when a walker comes
//!
//! A walker that meets a migration entry falls back; one that read the mapping before finds it changed at
//! its recheck. Each mapping that becomes a migration entry gives its reference of the folio up, so that
//! the count can reach what the one who unmaps expects.
//!
//! # What happens when another mutator comes
//!
//! The walk holds the anon_vma lock, for reading, unless its caller holds it for writing; see
//! [`mm`](crate::mm). Between a walk there and the walk back it is not held: who zaps meanwhile takes migration entries away,
//! and the walk back does not find them.

use super::page_vma_mapped::{PageVmaMappedWalk, Sought};
use super::pmd_migration::{allows_access, remove_migration_pmd, set_pmd_migration_entry};
use crate::cpu::{Cpu, set_tlb_ubc_flush_pending};
use crate::folio::{
    Folio, Page, folio_get, folio_mapped, folio_put, page_add_rmap, page_anon_exclusive,
    page_is_poisoned, page_remove_rmap, page_try_share_anon_rmap, set_page_anon_exclusive,
};
use crate::lkmm::read_once_is;
use crate::mm::{
    Mm, anon_vma_areas, folio_anon_vma, invalidate_range_end, invalidate_range_start,
    split_huge_pmd,
};
use crate::pgtable::{Entry, EntryPtr, Level, PAGE_SIZE, find_entry, ptep_clear_flush};
use crate::step::Step;
use crate::sync::Fault;
use std::ops::Range;

/// Who calls `try_to_migrate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A split, which holds the anon_vma lock: `TTU_RMAP_LOCKED | TTU_SPLIT_HUGE_PMD | TTU_SYNC`.
    Split,
    /// Migration.
    Migration,
    /// Migration of many, whose flush is put off: `TTU_BATCH_FLUSH`.
    Batch,
}

/// Where an area may map a folio.
pub(super) struct Place<'m> {
    pub(super) mm: &'m Mm,
    /// The address of the folio's first page, were all of it in the area.
    pub(super) start: u64,
    /// The addresses of those pages that are.
    pub(super) range: Range<u64>,
}

/// `rmap_walk_anon`: visits each area that may map the folio, of its mm and then of the children, until a visit
/// returns `false`. With the anon_vma lock held for reading, unless the caller holds it (`rmap_walk_locked`).
pub(super) fn rmap_walk<'m>(
    cpu: &Cpu<'m>,
    folio: Folio<'_>,
    locked: bool,
    mut visit: impl FnMut(Place<'m>) -> bool,
) {
    let (mm, unmoved) = folio_anon_vma(cpu, folio);
    let pages = u64::from(folio.nr_pages(cpu));
    // ORDERING: areas that are found keep their tables until the lock is dropped, and pmds are not taken away for a
    // while. Pairs with unlink-rmap-first (M-P27), collapse-rmap-lock (M-P26). Without it: a walk goes through tables
    // that are freed, or leaves a migration entry behind. Step `rmap-walk-lock`.
    let lock = !locked && cpu.does(Step::RmapWalkLock);
    if lock {
        mm.anon_vma.lock_read(cpu);
    }
    for (mm, vma) in anon_vma_areas(cpu, mm) {
        // vma_address, vma_address_end
        let start = (vma.start + unmoved).wrapping_sub(vma.pgoff * PAGE_SIZE);
        let end = start.wrapping_add(pages * PAGE_SIZE);
        let overlaps = vma.start < end && start < vma.end;
        let range = start.max(vma.start)..end.min(vma.end);
        let place = Place { mm, start, range };
        if overlaps && read_once_is(cpu, vma.in_anon_vma, true) && !visit(place) {
            break;
        }
    }
    if lock {
        mm.anon_vma.unlock_read(cpu);
    }
}

/// `try_to_migrate`: every mapping of a locked folio becomes a migration entry, up to the first page that may be pinned. Whether
/// that is all of them is told by its map counts.
pub(super) fn try_to_migrate<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, by: By) {
    let _span = cpu.span("try_to_migrate");
    // folio_lock_anon_vma_read: no walk where nothing is mapped.
    if by != By::Split && !folio_mapped(cpu, folio) {
        return;
    }
    rmap_walk(cpu, folio, by == By::Split, |place| {
        // folio_not_mapped
        try_to_migrate_one(cpu, folio, place, by) && folio_mapped(cpu, folio)
    });
}

/// `try_to_migrate_one`, of one area: whether to go on. Not if a page may be pinned; its mapping is then as it was.
fn try_to_migrate_one<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, place: Place<'m>, by: By) -> bool {
    let _span = cpu.span("try_to_migrate_one");
    // split_huge_pmd_address
    if by == By::Split
        && let Some(pmdp) = find_entry(cpu, place.mm, place.range.start, Level::Pmd)
    {
        split_huge_pmd(cpu, place.mm, (pmdp, place.range.start), true, Some(folio));
    }
    invalidating(cpu, place.mm, || migrate_mapped(cpu, folio, place, by))
}

/// What is done to an area's entries while secondary MMUs are told (`mmu_notifier_invalidate_range_start` and `_end`), however it ends.
pub(super) fn invalidating<R>(cpu: &Cpu<'_>, mm: &Mm, change: impl FnOnce() -> R) -> R {
    invalidate_range_start(cpu, mm);
    let result = change();
    invalidate_range_end(cpu, mm);
    result
}

/// The same, of the entries that are found there.
fn migrate_mapped<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, place: Place<'m>, by: By) -> bool {
    let Place { mm, range, .. } = place;
    let sync = by == By::Split;
    let mut walk = PageVmaMappedWalk::new(cpu, mm, folio, range, Sought::Mappings { sync });
    while let Some(ptep) = walk.next() {
        if walk.is_at_pmd() {
            if !set_pmd_migration_entry(cpu, mm, (ptep, walk.address()), folio) {
                walk.done();
                return false;
            }
            continue;
        }
        let found = ptep.get(cpu);
        let page = cpu.machine().page(found.pfn());
        let exclusive = page_anon_exclusive(cpu, page);
        let pte = ptep_clear(cpu, mm, (ptep, walk.address()), by == By::Batch);
        if page_is_poisoned(cpu, page) {
            ptep.set(cpu, pte.poisoned());
        } else {
            if pte.is_writable() && !exclusive {
                bug(cpu, page, "an anonymous page is writable and not exclusive");
            }
            if exclusive && !page_try_share_anon_rmap(cpu, folio, page) {
                cpu.remark("maybe pinned: the entry is put back");
                ptep.set(cpu, pte);
                walk.done();
                return false;
            }
            ptep.set(cpu, pte.migration(exclusive));
        }
        page_remove_rmap(cpu, page);
        folio_put(cpu, folio);
    }
    true
}

/// `ptep_clear_flush`; or `ptep_get_and_clear` and a note that the flush is due (`should_defer_flush`, which all architectures
/// here would).
pub(super) fn ptep_clear(
    cpu: &Cpu<'_>,
    mm: &Mm,
    (ptep, addr): (EntryPtr<'_>, u64),
    put_off: bool,
) -> Entry {
    if !put_off {
        return ptep_clear_flush(cpu, mm, addr, ptep);
    }
    let pte = ptep.get_and_clear(cpu);
    set_tlb_ubc_flush_pending(cpu, mm, pte);
    pte
}

fn bug(cpu: &Cpu<'_>, page: &Page, what: &'static str) -> ! {
    let cell = Some(page.flags.id());
    cpu.fault(Fault::Bug { what, cell })
}

/// `remove_migration_ptes`: every migration entry for a page of `old` maps the same page of `new`, as `old` was mapped.
/// The caller holds the anon_vma lock if `locked`.
pub(super) fn remove_migration_ptes(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>, locked: bool) {
    let _span = cpu.span("remove_migration_ptes");
    rmap_walk(cpu, new, locked, |place| {
        remove_migration_pte(cpu, old, new, place);
        true
    });
}

/// `remove_migration_pte`, of one area.
fn remove_migration_pte(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>, place: Place<'_>) {
    let _span = cpu.span("remove_migration_pte");
    let Place { mm, start, range } = place;
    let mut walk = PageVmaMappedWalk::new(cpu, mm, old, range, Sought::MigrationEntries);
    while let Some(ptep) = walk.next() {
        let addr = walk.address();
        let area = mm.vmas.iter().find(|vma| vma.contains(addr));
        if walk.is_at_pmd() {
            remove_migration_pmd(cpu, area, ptep, new);
            continue;
        }
        let nth = (addr - start) / PAGE_SIZE;
        let page = cpu.machine().page(new.head().pfn.plus(nth as u32));
        folio_get(cpu, new);
        let accessible = allows_access(cpu, area);
        let entry = ptep.get(cpu);
        page_add_rmap(cpu, page);
        if entry.was_exclusive() {
            set_page_anon_exclusive(cpu, page);
        }
        let restored = entry.restored(page.pfn);
        ptep.set(
            cpu,
            if accessible {
                restored
            } else {
                restored.protected(false)
            },
        );
    }
}
