//! One page of hugetlb's under the lock of its entry: `hugetlb_follow_page_mask`.
//!
//! # The rules
//!
//! 1. hugetlb's pages have a walk of their own (in the kernel because their tables may be shared, and their entries may be several): the
//!    entry of their level, whatever it is.
//! 2. Nobody asks for NUMA hints, which these areas never have; nor for `FOLL_FORCE`, which they refuse; and nothing is marked
//!    accessed or dirty.
//! 3. The reference goes to the head, and never fails: the entry has one, and its lock is held.
//! 4. A dump leaves out what is not in the file either, so that it need not be made.
//!
//! The lock of the area (`hugetlb_vma_lock_read`), which keeps tables that are shared with others, is absent: nobody shares any.

use super::followed::Followed;
use super::gates::gup_must_unshare;
use super::grab::try_grab_page;
use super::{Errno, Foll};
use crate::cpu::Cpu;
use crate::filemap::filemap_get_or_create_folio;
use crate::folio::folio_put;
use crate::mm::{Mm, Vma, file_of, vma_hugecache_offset};
use crate::pgtable::{EntryPtr, PAGE_SHIFT, hugetlb_walk};

/// `hugetlb_follow_page_mask`.
///
/// # Errors
/// `-EMLINK` of a page that must be unshared first; `-EFAULT` for dumps of what is not there; those of [`try_grab_page`].
pub(super) fn hugetlb_follow_page_mask<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
) -> Result<Followed<'m>, Errno> {
    let _span = cpu.span("hugetlb_follow_page_mask");
    let mut followed = Followed::Nothing;
    if let Some((ptr, span)) = hugetlb_walk(cpu, mm, addr) {
        ptr.lock().lock(cpu);
        let found = follow_locked(cpu, vma, (ptr, span), addr, flags);
        ptr.lock().unlock(cpu);
        followed = found?;
    }
    let nothing = matches!(followed, Followed::Nothing);
    if nothing && flags.contains(Foll::DUMP) && !hugetlbfs_pagecache_present(cpu, vma, addr) {
        return Err(Errno::Efault);
    }
    Ok(followed)
}

/// What it decides while it holds the lock.
fn follow_locked<'m>(
    cpu: &Cpu<'m>,
    vma: &Vma,
    (ptr, span): (EntryPtr<'m>, u64),
    addr: u64,
    flags: Foll,
) -> Result<Followed<'m>, Errno> {
    let machine = cpu.machine();
    let entry = ptr.get(cpu);
    if !entry.pte_present() {
        return Ok(Followed::Nothing);
    }
    let head = machine.page(entry.pfn());
    if !entry.is_writable() {
        if flags.contains(Foll::WRITE) {
            return Ok(Followed::Nothing);
        }
        if gup_must_unshare(cpu, Some(vma), flags, head) {
            return Err(Errno::Emlink);
        }
    }
    let nth = ((addr & (span - 1)) >> PAGE_SHIFT) as u32;
    let page = machine.page(head.pfn.plus(nth));
    try_grab_page(cpu, page, flags)?;
    Ok(Followed::Page {
        page,
        page_mask: (span >> PAGE_SHIFT) as u32 - 1,
    })
}

/// `hugetlbfs_pagecache_present`.
fn hugetlbfs_pagecache_present(cpu: &Cpu<'_>, vma: &Vma, addr: u64) -> bool {
    let Some(file) = file_of(cpu, vma) else {
        return false;
    };
    let index = vma_hugecache_offset(cpu, vma, addr);
    // An area may be longer than its file.
    if index >= file.pages.len() as u64 {
        return false;
    }
    let folio = filemap_get_or_create_folio(cpu, file, index, false);
    if let Some(folio) = folio {
        folio_put(cpu, folio);
    }
    folio.is_some()
}
