//! A page of a file is taken from those who do not use it: `shrink_folio_list`, of one page, as `MADV_PAGEOUT` calls it.
//!
//! # The order
//!
//! 1. It is isolated, and locked, or left alone; so it is where it is being written out.
//! 2. All its mappings go, with the flush put off. What an entry said of it is said of the folio.
//! 3. What may be pinned stays; and what is dirty: that is for the flusher.
//! 4. Its count is frozen at what reclaim and the cache have. Then it is asked once more whether it is dirty: whoever had a reference before
//!    may have written to it, and has marked it before he dropped the reference.
//! 5. What was put off is flushed, and only then the page is free.

use super::page_vma_mapped::{PageVmaMappedWalk, Sought};
use super::reclaim::isolate;
use super::rmap::{invalidating, ptep_clear};
use crate::cpu::{Cpu, try_to_unmap_flush};
use crate::filemap::{File, folio_is_in, remove_file_mapping};
use crate::folio::{
    Folio, PageFlags, Pfn, folio_mapped, folio_mark_dirty, folio_maybe_dma_pinned, folio_put,
    free_folio, page_remove_rmap, set_page_flags,
};
use crate::machine::FileId;
use crate::mm::{Mm, areas_of_file};
use crate::pgtable::PAGE_SIZE;
use crate::sync::LockMode;

/// `reclaim_folio_list`, of the page that a file has at `index`, and that was found on the LRU: whether it is free.
pub fn reclaim_file_page(cpu: &Cpu<'_>, page: Pfn, (file, index): (FileId, u64)) -> bool {
    let _span = cpu.span("shrink_folio_list");
    let file = &cpu.machine().files[file.0 as usize];
    let Some(folio) = isolate(cpu, page) else {
        return false;
    };
    let mut free = false;
    if folio.trylock(cpu) {
        free = shrink_locked(cpu, file, index, folio);
        folio.unlock(cpu);
    }
    try_to_unmap_flush(cpu);
    if free {
        free_folio(cpu, folio);
    } else {
        // folio_putback_lru
        set_page_flags(cpu, folio.head(), PageFlags::LRU);
        folio_put(cpu, folio);
    }
    free
}

/// With the folio locked: whether it is nobody's any more.
fn shrink_locked(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) -> bool {
    if folio.test(cpu, PageFlags::WRITEBACK) {
        return false;
    }
    if folio_mapped(cpu, folio) {
        try_to_unmap(cpu, file, index, folio);
        if folio_mapped(cpu, folio) {
            return false;
        }
    }
    // Nor is what a file system has for a page that is pinned let go of.
    !folio_maybe_dma_pinned(cpu, folio)
        && !folio.test(cpu, PageFlags::DIRTY)
        && folio_is_in(cpu, file, folio)
        && remove_file_mapping(cpu, file, index, folio)
}

/// `try_to_unmap`, by the file (`rmap_walk_file`). A page that is in no file any more is found nowhere.
fn try_to_unmap(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    let _span = cpu.span("try_to_unmap");
    if !folio_is_in(cpu, file, folio) {
        return;
    }
    file.i_mmap.lock(cpu, LockMode::Shared);
    for (mm, _, addr) in areas_of_file(cpu, file.nth, index) {
        let mm = cpu.machine().mm(mm);
        invalidating(cpu, mm, || try_to_unmap_one(cpu, mm, addr, folio));
        // folio_not_mapped
        if !folio_mapped(cpu, folio) {
            break;
        }
    }
    file.i_mmap.unlock(cpu, LockMode::Shared);
}

/// `try_to_unmap_one`.
fn try_to_unmap_one(cpu: &Cpu<'_>, mm: &Mm, addr: u64, folio: Folio<'_>) {
    let _span = cpu.span("try_to_unmap_one");
    let sought = Sought::Mappings { sync: false };
    let mut walk = PageVmaMappedWalk::new(cpu, mm, folio, addr..addr + PAGE_SIZE, sought);
    while let Some(ptep) = walk.next() {
        let pte = ptep_clear(cpu, mm, (ptep, walk.address()), true);
        if pte.is_dirty() {
            folio_mark_dirty(cpu, folio.head());
        }
        page_remove_rmap(cpu, folio.head());
        folio_put(cpu, folio);
    }
}
