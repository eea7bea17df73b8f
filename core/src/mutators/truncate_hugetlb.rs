//! A file of hugetlbfs becomes shorter: `hugetlb_vmtruncate`.
//!
//! # The order
//!
//! 1. The file's length is changed.
//! 2. Of every area that maps some of what is cut off, that part is zapped, private copies too.
//! 3. The pages that are cut off leave the cache, one by one, each with the mutex held that keeps faults on it out. One that somebody has
//!    mapped since is unmapped again, before it is locked: with the mutex held nobody maps it once more.
//!
//! The mutex takes the place of a second zap at the end: private copies that somebody makes in between stay. Nobody looks, once a page is
//! locked, whether it is the file's still: two who make a file shorter exclude each other.

use super::zap_hugetlb::unmap_hugepage_range;
use crate::cpu::Cpu;
use crate::filemap::{File, filemap_remove_folio, find_get_entries, truncate_size};
use crate::folio::{
    Folio, PageFlags, clear_page_flags, folio_lock, folio_mapped, folio_put, set_page_flags,
};
use crate::machine::MmId;
use crate::mm::{MmuGather, areas_of_pages, invalidate_range_end, invalidate_range_start};
use crate::pgtable::{PAGE_SHIFT, hugetlb_walk};
use crate::sync::LockMode;
use std::ops::Range;

/// `hugetlb_vmtruncate`, to so many huge pages.
pub(super) fn hugetlb_vmtruncate(cpu: &Cpu<'_>, file: &File, pages: u32) {
    let _span = cpu.span("hugetlb_vmtruncate");
    truncate_size(cpu, file, pages);
    // hugetlb_vmdelete_list
    file.i_mmap.lock(cpu, LockMode::Exclusive);
    let order = huge_page_order(cpu);
    for (mm, _, addresses) in areas_of_pages(cpu, file.nth, u64::from(pages) << order..u64::MAX) {
        unmap_range(cpu, mm, addresses);
    }
    file.i_mmap.unlock(cpu, LockMode::Exclusive);
    remove_inode_hugepages(cpu, file, pages.into());
}

/// How many small pages one is, as a power of two.
fn huge_page_order(cpu: &Cpu<'_>) -> u32 {
    let machine = cpu.machine();
    machine.geometry.shift(machine.hstate) - PAGE_SHIFT
}

/// `unmap_hugepage_range`, with `i_mmap` held.
fn unmap_range(cpu: &Cpu<'_>, mm: MmId, range: Range<u64>) {
    let mm = cpu.machine().mm(mm);
    invalidate_range_start(cpu, mm);
    let mut tlb = MmuGather::new(cpu, mm);
    unmap_hugepage_range(cpu, mm, &mut tlb, range);
    invalidate_range_end(cpu, mm);
    tlb.finish(cpu);
}

/// `remove_inode_hugepages`.
fn remove_inode_hugepages(cpu: &Cpu<'_>, file: &File, first: u64) {
    let _span = cpu.span("remove_inode_hugepages");
    let mut next = first;
    loop {
        // filemap_get_folios
        let batch = find_get_entries(cpu, file, next..u64::MAX);
        let Some(&(last, _)) = batch.last() else {
            return;
        };
        for &(index, folio) in &batch {
            file.fault_mutex.lock(cpu);
            remove_inode_single_folio(cpu, file, index, folio);
            file.fault_mutex.unlock(cpu);
        }
        for &(_, folio) in &batch {
            folio_put(cpu, folio);
        }
        next = last + 1;
    }
}

/// `remove_inode_single_folio`, with the mutex held.
fn remove_inode_single_folio(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    if folio_mapped(cpu, folio) {
        hugetlb_unmap_file_folio(cpu, file, index, folio);
    }
    folio_lock(cpu, folio);
    // hugetlb_delete_from_page_cache
    clear_page_flags(cpu, folio.head(), PageFlags::DIRTY);
    set_page_flags(cpu, folio.head(), PageFlags::NOT_UPTODATE);
    filemap_remove_folio(cpu, file, index, folio);
    folio.unlock(cpu);
}

/// `hugetlb_unmap_file_folio`: from the areas that have it at its place, which is asked without the lock of the entry.
fn hugetlb_unmap_file_folio(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    let _span = cpu.span("hugetlb_unmap_file_folio");
    let order = huge_page_order(cpu);
    let pages = index << order..(index + 1) << order;
    file.i_mmap.lock(cpu, LockMode::Exclusive);
    for (mm, _, addresses) in areas_of_pages(cpu, file.nth, pages) {
        // hugetlb_vma_maps_page
        let entry = hugetlb_walk(cpu, cpu.machine().mm(mm), addresses.start);
        let entry = entry.map(|(ptr, _)| ptr.get(cpu));
        if entry.is_some_and(|entry| entry.pte_present() && entry.pfn() == folio.head().pfn) {
            unmap_range(cpu, mm, addresses);
        }
    }
    file.i_mmap.unlock(cpu, LockMode::Exclusive);
}
