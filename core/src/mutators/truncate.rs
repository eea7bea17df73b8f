//! A file becomes shorter: `truncate_setsize`, and what a file system does around it.
//!
//! # The order
//!
//! 1. The file's length is changed (`i_size_write`): a fault that looks from now on finds nothing there.
//! 2. Every area that maps what is cut off is zapped, its private copies too.
//! 3. Each page that is cut off leaves the cache: with the folio locked, and written out if it is on its way to the disk, unmapped once more if somebody has mapped it since.
//! 4. The areas are zapped again: somebody may have copied a page meanwhile, and copies are found by no page.
//!
//! # What happens when a walker comes
//!
//! A reference keeps the page, and not its place in the file: whoever has one writes to a page that is in no file any more. Long-term pins of
//! a file's pages that somebody writes to are refused for that and its like.

use super::zap::zap_page_range_single;
use crate::cpu::Cpu;
use crate::filemap::{
    File, filemap_get_or_create_folio, filemap_remove_folio, folio_is_in, truncate_size,
};
use crate::folio::{
    Folio, PageFlags, clear_page_flags, folio_lock, folio_mapped, folio_mark_dirty, folio_put,
    folio_wait_writeback, page_remove_rmap,
};
use crate::machine::{FileId, MmId};
use crate::mm::{MmuGather, areas_of_file, invalidate_range_end, invalidate_range_start};
use crate::pgtable::{PAGE_SIZE, find_locked_pte, pte_unmap_unlock};
use crate::step::Step;
use crate::sync::LockMode;

/// `truncate_setsize`, to so many pages, by a file system that holds `invalidate_lock` for it.
pub fn truncate(cpu: &Cpu<'_>, file: FileId, pages: u32) {
    let _span = cpu.span("truncate_setsize");
    let file = &cpu.machine().files[file.0 as usize];
    file.invalidate_lock.lock(cpu, LockMode::Exclusive);
    truncate_size(cpu, file, pages);
    truncate_pagecache(cpu, file, pages);
    file.invalidate_lock.unlock(cpu, LockMode::Exclusive);
}

/// `truncate_pagecache`.
fn truncate_pagecache(cpu: &Cpu<'_>, file: &File, from: u32) {
    unmap_mapping_range(cpu, file, from);
    // truncate_inode_pages
    for index in from.into()..file.pages.len() as u64 {
        let Some(folio) = filemap_get_or_create_folio(cpu, file, index, false) else {
            continue;
        };
        folio_lock(cpu, folio);
        folio_wait_writeback(cpu, folio);
        // truncate_inode_folio
        if folio_is_in(cpu, file, folio) {
            if folio_mapped(cpu, folio) {
                unmap_mapping_folio(cpu, file, index, folio);
            }
            clear_page_flags(cpu, folio.head(), PageFlags::DIRTY);
            filemap_remove_folio(cpu, file, index, folio);
        }
        folio.unlock(cpu);
        folio_put(cpu, folio);
    }
    // Who had a page of the file locked when it was unmapped may have copied it since. Without it: a copy stays mapped behind the end of
    // the file. Step `truncate-unmaps-again`.
    if cpu.does(Step::TruncateUnmapsAgain) {
        unmap_mapping_range(cpu, file, from);
    }
}

/// `unmap_mapping_range`, with private copies (`even_cows`).
fn unmap_mapping_range(cpu: &Cpu<'_>, file: &File, from: u32) {
    let _span = cpu.span("unmap_mapping_range");
    file.i_mmap.lock(cpu, LockMode::Shared);
    for index in from.into()..file.pages.len() as u64 {
        for (mm, _, addr) in areas_of_file(cpu, file.nth, index) {
            zap_page_range_single(cpu, mm, addr..addr + PAGE_SIZE, false);
        }
    }
    file.i_mmap.unlock(cpu, LockMode::Shared);
}

/// `unmap_mapping_folio`, of a locked folio of one page: that page and no private copies.
fn unmap_mapping_folio(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    let _span = cpu.span("unmap_mapping_folio");
    file.i_mmap.lock(cpu, LockMode::Shared);
    for (mm, _, addr) in areas_of_file(cpu, file.nth, index) {
        zap_folio(cpu, mm, addr, folio);
    }
    file.i_mmap.unlock(cpu, LockMode::Shared);
}

/// `zap_page_range_single` of one entry, if it maps this folio.
fn zap_folio(cpu: &Cpu<'_>, id: MmId, addr: u64, folio: Folio<'_>) {
    let mm = cpu.machine().mm(id);
    let mut tlb = MmuGather::new(cpu, mm);
    invalidate_range_start(cpu, mm);
    if let Some(ptep) = find_locked_pte(cpu, mm, addr) {
        let page = folio.head();
        let pte = ptep.get(cpu);
        if pte.pte_present() && !pte.is_special() && pte.pfn() == page.pfn {
            let pte = ptep.get_and_clear(cpu);
            tlb.remove_entry(addr..addr + PAGE_SIZE);
            if pte.is_dirty() {
                folio_mark_dirty(cpu, page);
            }
            page_remove_rmap(cpu, page);
            tlb.remove_page(cpu, cpu.machine().page(page.pfn));
        }
        pte_unmap_unlock(cpu, ptep);
    }
    invalidate_range_end(cpu, mm);
    tlb.finish(cpu);
}
