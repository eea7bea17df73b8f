//! The walk under the mmap lock: `__get_user_pages_locked` and `__get_user_pages`.
//!
//! # What it may rely on
//!
//! The mmap lock, held for reading, keeps the areas; the page-table lock, taken for each page, keeps the
//! entry and so the mapping's reference of the page. So nothing is speculative, and nothing is rechecked.
//! The original flags go down unchanged with every retry: dropping the wish to write is how R39 was made.

use super::follow::{Context, Followed, follow_page_mask};
use super::gates::{is_longterm_pinnable, writable_file_mapping_allowed};
use super::{Foll, Gup, MAX_PAGES, Pages, gup_put_folio, try_grab_folio, unpin_user_page};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::page_folio;
use crate::mm::{
    Backing, FaultFlags, Mm, VmFault, VmFlags, Vma, handle_mm_fault, put_dev_pagemap,
    wait_for_change,
};
use crate::pgtable::PAGE_SIZE;
use crate::step::Step;

/// `__gup_longterm_locked`. Pages that must not be held for long would be migrated first; migration is not
/// modelled yet, so such a call gives its pins up and returns what the kernel returns where migration
/// fails: `-ENOMEM`. `current` is the caller's own mm, which is another one where the pages are not its own.
pub(super) fn gup_longterm_locked<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    current: &Mm,
    start: u64,
    nr_pages: usize,
    flags: Foll,
) -> Gup<'m> {
    let _span = cpu.span("__gup_longterm_locked");
    let gup = get_user_pages_locked(cpu, mm, current, start, nr_pages, flags);
    if !flags.contains(Foll::LONGTERM) {
        return gup;
    }
    let unpinnable = |page: &&_| !is_longterm_pinnable(cpu, page_folio(cpu, page));
    if !gup.pages.iter().any(unpinnable) {
        return gup;
    }
    for page in gup.pages {
        unpin_user_page(cpu, page);
    }
    Gup::error(Errno::Enomem)
}

/// `__get_user_pages_locked`, called without the lock. No fault of the model drops the lock, so the retry
/// protocol (`VM_FAULT_RETRY`) never runs.
fn get_user_pages_locked<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    current: &Mm,
    start: u64,
    nr_pages: usize,
    flags: Foll,
) -> Gup<'m> {
    mm.read_lock(cpu);
    if flags.contains(Foll::PIN) && cpu.does(Step::HasPinned) {
        // Fork looks at the mark of the mm that it copies. Without it: R37. Step `mark-target-mm`.
        let marked = if cpu.does(Step::MarkTargetMm) {
            mm
        } else {
            current
        };
        marked.set_has_pinned(cpu);
    }
    let mut pages = Pages::new();
    let stopped = get_user_pages(cpu, mm, start, nr_pages, flags, &mut pages);
    mm.read_unlock(cpu);
    let result = match stopped {
        Err(errno) if pages.is_empty() => Err(errno),
        _ => Ok(pages.len()),
    };
    Gup::of(result, pages)
}

/// `__get_user_pages`: fills `pages` in address order until all are got or one cannot be.
fn get_user_pages<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    start: u64,
    nr_pages: usize,
    flags: Foll,
    pages: &mut Pages<'m>,
) -> Result<(), Errno> {
    let _span = cpu.span("__get_user_pages");
    let mut context = None;
    let stopped = fill(cpu, mm, start, nr_pages, flags, pages, &mut context);
    if let Some(pagemap) = context {
        put_dev_pagemap(cpu, pagemap);
    }
    stopped
}

/// `__get_user_pages`' loop.
fn fill<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    mut start: u64,
    nr_pages: usize,
    flags: Foll,
    pages: &mut Pages<'m>,
    context: &mut Context<'m>,
) -> Result<(), Errno> {
    let mut area: Option<&Vma> = None;
    while pages.len() < nr_pages.min(MAX_PAGES) {
        let vma = if let Some(vma) = area.filter(|vma| start < vma.end) {
            vma
        } else {
            let vma = mm.vma_lookup(cpu, start).ok_or(Errno::Efault)?;
            check_vma_flags(cpu, vma, flags)?;
            area = Some(vma);
            vma
        };
        let found = follow_or_fault(cpu, mm, vma, start, flags, context)?;
        let rest = nr_pages - pages.len();
        let got = take_subpages(cpu, &found, rest, flags, pages)?;
        start += got * PAGE_SIZE;
    }
    Ok(())
}

/// One page, faulting it in as often as it takes.
fn follow_or_fault<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Found<'m>, Errno> {
    // Each turn but the last either changed the entry or saw somebody else change it.
    loop {
        match follow_page_mask(cpu, mm, vma, addr, flags, context) {
            Ok(Followed::Page { page, page_mask }) => {
                let index = (addr / PAGE_SIZE) as u32;
                return Ok(Found {
                    page,
                    left_in_folio: 1 + (!index & page_mask),
                });
            }
            Ok(Followed::Nothing) => faultin_page(cpu, mm, vma, addr, flags, false)?,
            Ok(Followed::Dying(ptr, entry)) => {
                faultin_page(cpu, mm, vma, addr, flags, false)?;
                wait_for_change(cpu, ptr, entry);
            }
            Err(Errno::Emlink) => faultin_page(cpu, mm, vma, addr, flags, true)?,
            Err(errno) => return Err(errno),
        }
    }
}

struct Found<'m> {
    page: &'m crate::folio::Page,
    /// Pages from this one to the end of the mapping that it was found in.
    left_in_folio: u32,
}

/// Takes the references of the pages that follow in the same huge mapping, and records them all.
fn take_subpages<'m>(
    cpu: &Cpu<'m>,
    found: &Found<'m>,
    rest: usize,
    flags: Foll,
    pages: &mut Pages<'m>,
) -> Result<u64, Errno> {
    let increment = (found.left_in_folio as usize).min(rest);
    if increment > 1 && try_grab_folio(cpu, found.page, increment as i32 - 1, flags).is_none() {
        gup_put_folio(cpu, page_folio(cpu, found.page), 1, flags);
        return Err(Errno::Efault);
    }
    for n in 0..increment as u32 {
        pages.push(cpu.machine().page(found.page.pfn.plus(n)));
    }
    Ok(increment as u64)
}

/// `check_vma_flags`.
fn check_vma_flags(cpu: &Cpu<'_>, vma: &Vma, flags: Foll) -> Result<(), Errno> {
    if vma.flags.intersects(VmFlags::IO | VmFlags::PFNMAP) || vma.backing == Backing::Secretmem {
        return Err(Errno::Efault);
    }
    if flags.contains(Foll::LONGTERM) && vma.backing == Backing::FsDax {
        return Err(Errno::Eopnotsupp);
    }
    if flags.contains(Foll::WRITE) {
        if vma.backing != Backing::Anon && !writable_file_mapping_allowed(vma, flags) {
            return Err(Errno::Efault);
        }
        if !vma.vm_flags(cpu).contains(VmFlags::WRITE) || vma.flags.contains(VmFlags::SHADOW_STACK)
        {
            let forced = flags.contains(Foll::FORCE)
                && vma.backing != Backing::Hugetlb
                && vma.flags.is_cow();
            return if forced { Ok(()) } else { Err(Errno::Efault) };
        }
    } else if !vma.vm_flags(cpu).contains(VmFlags::READ) {
        let forced = flags.contains(Foll::FORCE) && vma.flags.contains(VmFlags::MAYREAD);
        return if forced { Ok(()) } else { Err(Errno::Efault) };
    }
    Ok(())
}

/// `faultin_page`.
fn faultin_page(
    cpu: &Cpu<'_>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
    unshare: bool,
) -> Result<(), Errno> {
    let _span = cpu.span("faultin_page");
    if flags.contains(Foll::NOFAULT) {
        return Err(Errno::Efault);
    }
    let mut fault = FaultFlags::empty();
    fault.set(FaultFlags::WRITE, flags.contains(Foll::WRITE) && !unshare);
    fault.set(FaultFlags::UNSHARE, unshare);
    match handle_mm_fault(cpu, mm, vma, addr, fault) {
        VmFault::Done => Ok(()),
        VmFault::Oom => Err(Errno::Enomem),
        VmFault::Hwpoison if flags.contains(Foll::HWPOISON) => Err(Errno::Ehwpoison),
        VmFault::Hwpoison | VmFault::Sigbus => Err(Errno::Efault),
    }
}
