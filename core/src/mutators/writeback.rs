//! A dirty page of a file is written to the disk: `write_cache_pages`, of one page.
//!
//! # The order
//!
//! 1. The folio is locked. It must still be the file's, and dirty; what somebody else writes out is waited for.
//! 2. What it is written out with must be there: a fault that made an entry writable has had the file system prepare it. Who dirties a
//!    page and told nobody loses what he wrote.
//! 3. Every shared mapping of it is write-protected and made clean, and flushed (`folio_mkclean`). Who writes from now on by an
//!    address faults first, tells the file system, and waits for the folio's lock.
//! 4. What an entry said is said of the folio, and then the folio's mark is cleared.
//! 5. Only then its contents are read. Who writes later marks it dirty later, and it is written out again.
//!
//! # What happens when a walker comes
//!
//! - before 3 has changed the entry: its pin stays. Write-back looks for no pins, and waits for none. Whoever has it writes when he likes, by
//!   no entry, and nobody hears of it before he marks the page dirty: the file system not even then. Pins that are to be held for
//!   long are refused for that. Others are a hole that is known;
//! - after that: its recheck fails.

use super::page_vma_mapped::{PageVmaMappedWalk, Sought};
use super::rmap::invalidating;
use crate::cpu::Cpu;
use crate::filemap::{File, filemap_get_or_create_folio, folio_is_in};
use crate::folio::{
    Folio, PageFlags, clear_page_flags, folio_lock, folio_mapped, folio_mark_dirty, folio_put,
    folio_wait_writeback, set_page_flags, test_and_clear_page_flag,
};
use crate::lkmm::{read_once, read_once_is, write_once};
use crate::machine::FileId;
use crate::mm::{Mm, VmFlags, areas_of_file};
use crate::pgtable::{Bits, PAGE_SIZE, ptep_clear_flush};
use crate::step::Step;
use crate::sync::LockMode;

/// `write_cache_pages`, of the page `index`, as `fsync` calls it: whether it was written out.
pub fn write_cache_page(cpu: &Cpu<'_>, file: FileId, index: u64) -> bool {
    let _span = cpu.span("write_cache_pages");
    let file = &cpu.machine().files[file.0 as usize];
    // filemap_get_folios_tag
    let Some(folio) = filemap_get_or_create_folio(cpu, file, index, false) else {
        return false;
    };
    folio_lock(cpu, folio);
    let written = folio_is_in(cpu, file, folio) && folio.test(cpu, PageFlags::DIRTY) && {
        folio_wait_writeback(cpu, folio);
        write_locked(cpu, file, index, folio)
    };
    if !written {
        folio.unlock(cpu);
    }
    folio_put(cpu, folio);
    written
}

/// The rest, of a folio that is locked, and unlocked if it was written out.
fn write_locked(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) -> bool {
    let (prepared, disk) = (file.prepared[index as usize], file.disk[index as usize]);
    let head = folio.head();
    if !read_once_is(cpu, prepared, true) {
        // ext4 says "page does not have buffers attached", and gives up what is in it.
        clear_page_flags(cpu, head, PageFlags::DIRTY);
        return false;
    }
    // ORDERING: full, the clear's: between the mark and the contents. Pairs with the mark of whoever has written, which is full, too. The
    // other way round what is written in between is neither on the disk nor dirty. Without it: R54. Step `writeback-cleans-first`.
    let first = cpu.does(Step::WritebackCleansFirst);
    let early = (!first).then(|| read_once(cpu, head.contents));
    if !folio_clear_dirty_for_io(cpu, file, index, folio) {
        return false;
    }
    write_once(cpu, prepared, false);
    // folio_start_writeback
    set_page_flags(cpu, head, PageFlags::WRITEBACK);
    folio.unlock(cpu);
    let contents = early.unwrap_or_else(|| read_once(cpu, head.contents));
    write_once(cpu, disk, contents);
    // folio_end_writeback
    clear_page_flags(cpu, head, PageFlags::WRITEBACK);
    true
}

/// `folio_clear_dirty_for_io`, of a locked folio: whether it was dirty.
fn folio_clear_dirty_for_io(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) -> bool {
    let _span = cpu.span("folio_clear_dirty_for_io");
    // ORDERING: the folio lock's, which a fault holds from when it tells the file system until the entry is writable. Without it: a page
    // is written to of which the file system has not heard. Step `writeback-protects`.
    if cpu.does(Step::WritebackProtects) && folio_mkclean(cpu, file, index, folio) {
        folio_mark_dirty(cpu, folio.head());
    }
    test_and_clear_page_flag(cpu, folio.head(), PageFlags::DIRTY)
}

/// `folio_mkclean`: whether an entry was dirty, or let somebody write.
fn folio_mkclean(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) -> bool {
    let _span = cpu.span("folio_mkclean");
    if !folio_mapped(cpu, folio) {
        return false;
    }
    // rmap_walk_file
    let mut cleaned = false;
    file.i_mmap.lock(cpu, LockMode::Shared);
    for (mm, vma, addr) in areas_of_file(cpu, file.nth, index) {
        if vma.flags.contains(VmFlags::SHARED) {
            let mm = cpu.machine().mm(mm);
            cleaned |= invalidating(cpu, mm, || page_vma_mkclean_one(cpu, mm, addr, folio));
        }
    }
    file.i_mmap.unlock(cpu, LockMode::Shared);
    cleaned
}

/// `page_vma_mkclean_one`.
fn page_vma_mkclean_one(cpu: &Cpu<'_>, mm: &Mm, addr: u64, folio: Folio<'_>) -> bool {
    let _span = cpu.span("page_vma_mkclean_one");
    let sought = Sought::Mappings { sync: true };
    let mut walk = PageVmaMappedWalk::new(cpu, mm, folio, addr..addr + PAGE_SIZE, sought);
    let mut cleaned = false;
    while let Some(ptep) = walk.next() {
        let entry = ptep.get(cpu);
        if !entry.is_dirty() && !entry.is_writable() {
            continue;
        }
        let entry = ptep_clear_flush(cpu, mm, walk.address(), ptep);
        ptep.set(cpu, entry.without(Bits::WRITE | Bits::DIRTY));
        cleaned = true;
    }
    cleaned
}
