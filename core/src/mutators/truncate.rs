//! A file becomes shorter: `truncate_setsize`, and what a file system does around it; or gets a hole.
//!
//! # The order
//!
//! 1. The file's length is changed (`i_size_write`): a fault that looks from now on finds nothing there.
//! 2. Of every area that maps some of what is cut off, that part is zapped, private copies too. That is for speed.
//! 3. The pages that are cut off leave the cache. First, many at a time, those that nobody has locked, and that are not being written out; then
//!    the others, which are waited for. Each is locked, and unmapped once more if somebody has mapped it since: the page, and no private
//!    copies. That is asked of the cache again until it has none of them.
//! 4. The areas are zapped again: somebody may have copied a page meanwhile, and copies are found by no page.
//!
//! # What happens when a walker comes
//!
//! A reference keeps the page, and not its place in the file: whoever has one writes to a page that is in no file any more. Long-term pins of
//! a file's pages that somebody writes to are refused for that and its like.

use super::truncate_hugetlb::hugetlb_vmtruncate;
use super::zap::{ZapDetails, zap_page_range_single};
use crate::cpu::Cpu;
use crate::filemap::{
    File, delete_from_page_cache_batch, filemap_remove_folio, find_get_entries, find_lock_entries,
    folio_is_in, truncate_size,
};
use crate::folio::{
    Folio, Mapping, PageFlags, clear_page_flags, folio_lock, folio_mapped, folio_put,
    folio_wait_writeback, test_and_clear_page_flag,
};
use crate::machine::FileId;
use crate::mm::areas_of_pages;
use crate::step::Step;
use crate::sync::LockMode;
use std::ops::Range;

/// `truncate_setsize`, to so many pages (of hugetlbfs, huge ones), by a file system that holds `invalidate_lock` for it. (It stands for the
/// lock of the inode as well, which keeps others out who make the file shorter: hugetlbfs has that one alone.)
pub fn truncate(cpu: &Cpu<'_>, file: FileId, pages: u32) {
    let _span = cpu.span("truncate_setsize");
    let file = &cpu.machine().files[file.0 as usize];
    file.invalidate_lock.lock(cpu, LockMode::Exclusive);
    if file.huge {
        hugetlb_vmtruncate(cpu, file, pages);
    } else {
        truncate_size(cpu, file, pages);
        truncate_pagecache(cpu, file, pages.into()..u64::MAX);
    }
    file.invalidate_lock.unlock(cpu, LockMode::Exclusive);
}

/// `fallocate(FALLOC_FL_PUNCH_HOLE)` of some pages, by a file system that holds `invalidate_lock` for it (`truncate_pagecache_range`): they leave
/// the file, which is as long as before. Private copies stay, so one look for entries will do: what is mapped after it is unmapped with
/// the folio.
pub fn punch_hole(cpu: &Cpu<'_>, file: FileId, pages: Range<u64>) {
    let _span = cpu.span("truncate_pagecache_range");
    let file = &cpu.machine().files[file.0 as usize];
    file.invalidate_lock.lock(cpu, LockMode::Exclusive);
    unmap_mapping_pages(cpu, file, pages.clone(), ZapDetails::NO_COPIES);
    truncate_inode_pages(cpu, file, pages);
    file.invalidate_lock.unlock(cpu, LockMode::Exclusive);
}

/// `truncate_pagecache`.
fn truncate_pagecache(cpu: &Cpu<'_>, file: &File, pages: Range<u64>) {
    unmap_mapping_pages(cpu, file, pages.clone(), ZapDetails::ALL);
    truncate_inode_pages(cpu, file, pages.clone());
    // ORDERING: the folio lock's, which a fault that copies a page has until its copy is mapped. Pairs with do_cow_fault. Without it: a copy stays
    // mapped behind the end of the file. Step `truncate-unmaps-again`.
    if cpu.does(Step::TruncateUnmapsAgain) {
        unmap_mapping_pages(cpu, file, pages, ZapDetails::ALL);
    }
}

/// `truncate_inode_pages`. (That the first of the pages is looked for once more by itself, in case a part of it stays, is left out: all of it
/// goes.)
pub(super) fn truncate_inode_pages(cpu: &Cpu<'_>, file: &File, pages: Range<u64>) {
    let _span = cpu.span("truncate_inode_pages");
    let mut index = pages.start;
    loop {
        let batch = find_lock_entries(cpu, file, index..pages.end);
        let Some(&(last, _)) = batch.last() else {
            break;
        };
        for &(index, folio) in &batch {
            truncate_cleanup_folio(cpu, file, index, folio);
        }
        delete_from_page_cache_batch(cpu, file, &batch);
        for &(_, folio) in &batch {
            folio.unlock(cpu);
        }
        for &(_, folio) in &batch {
            folio_put(cpu, folio);
        }
        index = last + 1;
    }
    index = pages.start;
    loop {
        let batch = find_get_entries(cpu, file, index..pages.end);
        let Some(&(last, _)) = batch.last() else {
            if index == pages.start {
                return;
            }
            index = pages.start;
            continue;
        };
        for &(index, folio) in &batch {
            folio_lock(cpu, folio);
            folio_wait_writeback(cpu, folio);
            truncate_inode_folio(cpu, file, index, folio);
            folio.unlock(cpu);
        }
        for &(_, folio) in &batch {
            folio_put(cpu, folio);
        }
        index = last + 1;
    }
}

/// `truncate_inode_folio`, of a locked folio.
fn truncate_inode_folio(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    if folio_is_in(cpu, file, folio) {
        truncate_cleanup_folio(cpu, file, index, folio);
        filemap_remove_folio(cpu, file, index, folio);
    }
}

/// `truncate_cleanup_folio`: mapped nowhere, and not dirty.
fn truncate_cleanup_folio(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    if folio_mapped(cpu, folio) {
        // unmap_mapping_folio: what the areas have at that place, whatever its page, but for private copies.
        unmap_mapping_pages(cpu, file, index..index + 1, ZapDetails::NO_COPIES);
    }
    // folio_cancel_dirty
    if folio.test(cpu, PageFlags::DIRTY) {
        if file.mapping == Mapping::File {
            test_and_clear_page_flag(cpu, folio.head(), PageFlags::DIRTY);
        } else {
            // It is written back to nowhere.
            clear_page_flags(cpu, folio.head(), PageFlags::DIRTY);
        }
    }
}

/// `unmap_mapping_pages`.
fn unmap_mapping_pages(cpu: &Cpu<'_>, file: &File, pages: Range<u64>, details: ZapDetails) {
    let _span = cpu.span("unmap_mapping_pages");
    file.i_mmap.lock(cpu, LockMode::Shared);
    for (mm, _, addresses) in areas_of_pages(cpu, file.nth, pages) {
        zap_page_range_single(cpu, mm, addresses, details);
    }
    file.i_mmap.unlock(cpu, LockMode::Shared);
}
