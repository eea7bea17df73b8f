//! Entries to migration entries and back: `try_to_migrate` and `remove_migration_ptes`.
//!
//! A walker that meets a migration entry falls back; one that read the mapping before finds it changed at
//! its recheck. Each mapping that becomes a migration entry gives its reference of the folio up, so that
//! the count can reach what the one who unmaps expects.

use crate::cpu::{Cpu, flush_tlb};
use crate::folio::{
    Page, folio_get, folio_put, page_add_rmap, page_anon_exclusive, page_folio, page_remove_rmap,
    page_try_share_anon_rmap, set_page_anon_exclusive,
};
use crate::mm::Mm;
use crate::pgtable::{Entry, Level, find_entry, pte_offset_map_lock, pte_unmap_unlock};

/// `try_to_migrate_one`, of the PTE at `addr`: whether the page is unmapped there now. It is not if it may
/// be pinned; the mapping is then as it was.
pub(super) fn try_to_migrate_one(cpu: &Cpu<'_>, mm: &Mm, addr: u64, page: &Page) -> bool {
    let _span = cpu.span("try_to_migrate_one");
    let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) else {
        return true;
    };
    let pmd = pmdp.read_once(cpu);
    let Some(ptep) = pte_offset_map_lock(cpu, pmdp, pmd, addr) else {
        return true;
    };
    let mut unmapped = true;
    let found = ptep.get(cpu);
    if found.pte_present() && found.pfn() == page.pfn {
        // ptep_clear_flush
        let pte = ptep.get_and_clear(cpu);
        flush_tlb(cpu);
        let folio = page_folio(cpu, cpu.machine().page(page.pfn));
        let exclusive = page_anon_exclusive(cpu, page);
        if exclusive && !page_try_share_anon_rmap(cpu, folio, page) {
            cpu.remark("maybe pinned: the entry is put back");
            ptep.set(cpu, pte);
            unmapped = false;
        } else {
            ptep.set(cpu, pte.migration(exclusive));
            page_remove_rmap(cpu, page);
            folio_put(cpu, folio);
        }
    }
    pte_unmap_unlock(cpu, ptep);
    unmapped
}

/// `remove_migration_pte`, of the migration entry for `old` at `addr`: maps `new` there, as `old` was.
pub(super) fn remove_migration_pte(cpu: &Cpu<'_>, mm: &Mm, addr: u64, old: &Page, new: &Page) {
    let _span = cpu.span("remove_migration_pte");
    let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) else {
        return;
    };
    let pmd = pmdp.read_once(cpu);
    let Some(ptep) = pte_offset_map_lock(cpu, pmdp, pmd, addr) else {
        return;
    };
    let found: Entry = ptep.get(cpu);
    if found.is_migration() && found.pfn() == old.pfn {
        let folio = page_folio(cpu, cpu.machine().page(new.pfn));
        folio_get(cpu, folio);
        page_add_rmap(cpu, new);
        if found.was_exclusive() {
            set_page_anon_exclusive(cpu, new);
        }
        ptep.set(cpu, found.restored(new.pfn));
    }
    pte_unmap_unlock(cpu, ptep);
}
