//! One page under the page-table lock: `follow_page_mask` down to `follow_page_pte`.

use super::followed::{Context, Followed};
use super::gates::{arch_make_page_accessible, gup_must_unshare};
use super::grab::try_grab_page;
use super::hugetlb::hugetlb_follow_page_mask;
use super::{Foll, unpin_user_page};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{
    Page, PageFlags, is_zero_page, page_anon_exclusive, page_folio, set_page_flags,
};
use crate::lkmm::read_once_has;
use crate::mm::{
    Backing, Mm, VmFlags, Vma, get_dev_pagemap, is_huge_zero_pmd, put_dev_pagemap, split_huge_pmd,
};
use crate::pgtable::{
    Bits, Entry, EntryPtr, Level, PAGE_SHIFT, find_entry, pte_alloc, pte_offset_map_lock,
    pte_unmap_unlock,
};
use crate::step::Step;
use crate::sync::Fault;

/// `follow_page_mask`.
///
/// # Errors
/// `-EMLINK` of a page that must be unshared first; those of [`try_grab_page`]; `-EFAULT` for dumps of
/// special pages and for a device's leaf whose pagemap is dying, `-EEXIST` of an entry without a struct page.
pub(super) fn follow_page_mask<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Followed<'m>, Errno> {
    let _span = cpu.span("follow_page_mask");
    // Only here are hugetlb's leaves known: elsewhere one that is neither a THP nor a device's is no page.
    if vma.backing == Backing::Hugetlb {
        return hugetlb_follow_page_mask(cpu, mm, vma, addr, flags);
    }
    let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) else {
        return follow_pud_mask(cpu, mm, vma, addr, flags, context);
    };
    let pmd = pmdp.read_once(cpu);
    if pmd.is_none() || !pmd.pmd_present() {
        return no_page_table(vma, flags);
    }
    if pmd.is_devmap()
        && let Some(page) = follow_devmap(cpu, pmdp, Level::Pmd, addr, flags, context)?
    {
        return Ok(Followed::Page { page, page_mask: 0 });
    }
    if !pmd.is_huge() || pmd.is_devmap() {
        return follow_page_pte(cpu, vma, addr, pmdp, flags, context);
    }
    if pmd.is_prot_none() && !can_follow_protnone(cpu, vma, flags) {
        return no_page_table(vma, flags);
    }
    pmdp.lock().lock(cpu);
    let now = pmdp.get(cpu);
    if !now.pmd_present() {
        pmdp.lock().unlock(cpu);
        return no_page_table(vma, flags);
    }
    if !now.is_huge() {
        pmdp.lock().unlock(cpu);
        return follow_page_pte(cpu, vma, addr, pmdp, flags, context);
    }
    if flags.contains(Foll::SPLIT_PMD) {
        pmdp.lock().unlock(cpu);
        split_huge_pmd(cpu, mm, (pmdp, addr), false, None);
        // What is a hole by now gets a table, for whoever follows to find.
        if pmdp.is(cpu, Entry::NONE) && !pte_alloc(cpu, pmdp) {
            return Err(Errno::Enomem);
        }
        return follow_page_pte(cpu, vma, addr, pmdp, flags, context);
    }
    let followed = follow_trans_huge_pmd(cpu, vma, (pmdp, addr), now, flags);
    pmdp.lock().unlock(cpu);
    followed
}

/// `follow_page`: what is mapped at `addr` in `vma`, with the mmap lock held; with `FOLL_GET`, a reference of it. Nothing is faulted in.
///
/// # Errors
/// `-EFAULT`, `-EMLINK`, `-EEXIST` and others, as [`follow_page_mask`].
pub fn follow_page<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
) -> Result<Option<&'m Page>, Errno> {
    let _span = cpu.span("follow_page");
    if vma.backing == Backing::Secretmem || flags.contains(Foll::PIN) {
        return Ok(None);
    }
    let mut context = None;
    let followed = follow_page_mask(cpu, mm, vma, addr, flags, &mut context);
    if let Some(pagemap) = context {
        put_dev_pagemap(cpu, pagemap);
    }
    match followed? {
        Followed::Page { page, .. } => Ok(Some(page)),
        Followed::Nothing | Followed::Dying(..) => Ok(None),
    }
}

/// `follow_pud_mask`, where there is no table below: a hole, or a leaf, of which only a device's is known here.
fn follow_pud_mask<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Followed<'m>, Errno> {
    // A machine without devices has no such leaf, and the look is spared.
    if !cpu.machine().pagemaps().is_empty()
        && let Some(pudp) = find_entry(cpu, mm, addr, Level::Pud)
        && pudp.get(cpu).is_devmap()
        && let Some(page) = follow_devmap(cpu, pudp, Level::Pud, addr, flags, context)?
    {
        return Ok(Followed::Page { page, page_mask: 0 });
    }
    no_page_table(vma, flags)
}

/// `follow_devmap_pmd`, `follow_devmap_pud`: one page of a device's leaf; `None` if the leaf will not do.
fn follow_devmap<'m>(
    cpu: &Cpu<'m>,
    ptr: EntryPtr<'m>,
    level: Level,
    addr: u64,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Option<&'m Page>, Errno> {
    ptr.lock().lock(cpu);
    let followed = follow_locked_devmap(cpu, ptr, level, addr, flags, context);
    ptr.lock().unlock(cpu);
    followed
}

/// What `follow_devmap_pmd` decides while its caller holds the lock.
fn follow_locked_devmap<'m>(
    cpu: &Cpu<'m>,
    ptr: EntryPtr<'m>,
    level: Level,
    addr: u64,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Option<&'m Page>, Errno> {
    let leaf = ptr.get(cpu);
    let write = flags.contains(Foll::WRITE);
    if write && !leaf.is_writable() || !leaf.pmd_present() {
        return Ok(None);
    }
    // What was a leaf when it was read without the lock may link a table by now. Kernels later than v6.8 have one function for leaves of
    // all kinds, which asks only whether there is something: the table is taken for a page. Without it: K6. Step `leaf-asked-again`.
    let device = leaf.is_devmap();
    if !device && cpu.does(Step::LeafAskedAgain) {
        return Ok(None);
    }
    touch_pmd(cpu, ptr, leaf, flags);
    // Without a reference of the page its pagemap may go: there is nothing to be given back but that something is there.
    if device && !flags.intersects(Foll::GET.union(Foll::PIN)) {
        return Err(Errno::Eexist);
    }
    let span = cpu.machine().geometry.span(level);
    let nth = ((addr & (span - 1)) >> PAGE_SHIFT) as u32;
    let pfn = leaf.pfn().plus(nth);
    if device {
        *context = get_dev_pagemap(cpu, pfn, context.take());
        if context.is_none() {
            return Err(Errno::Efault);
        }
    }
    let page = cpu.machine().page(pfn);
    try_grab_page(cpu, page, flags)?;
    Ok(Some(page))
}

/// `no_page_table`: a hole. Dumps want to know, everybody else faults.
fn no_page_table<'m>(vma: &Vma, flags: Foll) -> Result<Followed<'m>, Errno> {
    if flags.contains(Foll::DUMP) && vma.backing == Backing::Anon {
        return Err(Errno::Efault);
    }
    Ok(Followed::Nothing)
}

/// `gup_can_follow_protnone`: NUMA hints are ignored unless asked for; real `PROT_NONE` never gets here
/// without `FOLL_FORCE`.
fn can_follow_protnone(cpu: &Cpu<'_>, vma: &Vma, flags: Foll) -> bool {
    !flags.contains(Foll::HONOR_NUMA_FAULT) || !vma.vm_flags(cpu).is_accessible()
}

/// `follow_trans_huge_pmd`, under the pmd lock.
fn follow_trans_huge_pmd<'m>(
    cpu: &Cpu<'m>,
    vma: &Vma,
    (pmdp, addr): (EntryPtr<'m>, u64),
    pmd: Entry,
    flags: Foll,
) -> Result<Followed<'m>, Errno> {
    let machine = cpu.machine();
    let head = machine.page(pmd.pfn());
    if flags.contains(Foll::WRITE) && !can_follow_write(cpu, vma, pmd, Some(head), flags) {
        return Ok(Followed::Nothing);
    }
    if flags.contains(Foll::DUMP) && is_huge_zero_pmd(cpu, pmd) {
        return Err(Errno::Efault);
    }
    if pmd.is_prot_none() && !can_follow_protnone(cpu, vma, flags) {
        return Ok(Followed::Nothing);
    }
    if !pmd.is_writable() && gup_must_unshare(cpu, Some(vma), flags, head) {
        return Err(Errno::Emlink);
    }
    must_be_exclusive(cpu, head, flags);
    try_grab_page(cpu, head, flags)?;
    touch_pmd(cpu, pmdp, pmd, flags);
    let index = machine.geometry.index(Level::Pte, addr) as u32;
    Ok(Followed::Page {
        page: machine.page(head.pfn.plus(index)),
        page_mask: machine.geometry.pages_per_pmd() - 1,
    })
}

/// The kernel's own look at I4 (CONFIG_DEBUG_VM): anonymous memory is pinned only where it is exclusive.
#[track_caller]
fn must_be_exclusive(cpu: &Cpu<'_>, page: &Page, flags: Foll) {
    // A kernel that pins what is shared does not ask.
    if !flags.contains(Foll::PIN) || !cpu.does(Step::UnshareFirst) {
        return;
    }
    let folio = page_folio(cpu, cpu.machine().page(page.pfn));
    if folio.is_anon(cpu) && !page_anon_exclusive(cpu, page) {
        cpu.fault(Fault::Bug {
            what: "an anonymous page is about to be pinned that is not exclusive",
            cell: Some(page.flags.id()),
        });
    }
}

/// `follow_page_pte`.
fn follow_page_pte<'m>(
    cpu: &Cpu<'m>,
    vma: &Vma,
    addr: u64,
    pmdp: EntryPtr<'m>,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Followed<'m>, Errno> {
    let _span = cpu.span("follow_page_pte");
    if flags.contains(Foll::GET | Foll::PIN) {
        return Err(Errno::Einval);
    }
    let Some(ptep) = pte_offset_map_lock(cpu, pmdp, addr) else {
        return no_page_table(vma, flags);
    };
    let followed = follow_locked_pte(cpu, vma, ptep, flags, context);
    pte_unmap_unlock(cpu, ptep);
    followed
}

/// What `follow_page_pte` decides while it holds the lock.
fn follow_locked_pte<'m>(
    cpu: &Cpu<'m>,
    vma: &Vma,
    ptep: EntryPtr<'m>,
    flags: Foll,
    context: &mut Context<'m>,
) -> Result<Followed<'m>, Errno> {
    let pte = ptep.get(cpu);
    if pte.is_none() {
        return no_page_table(vma, flags);
    }
    if !pte.pte_present() || pte.is_prot_none() && !can_follow_protnone(cpu, vma, flags) {
        return Ok(Followed::Nothing);
    }
    let mapped = cpu.machine().page(pte.pfn());
    let normal = (!pte.is_special()).then_some(mapped);
    if flags.contains(Foll::WRITE) && !can_follow_write(cpu, vma, pte, normal, flags) {
        return Ok(Followed::Nothing);
    }
    let page = match normal {
        Some(page) => page,
        // Without a reference of its pagemap a device's page means nothing, and is taken for no page.
        None if pte.is_devmap() && flags.intersects(Foll::GET | Foll::PIN) => {
            *context = get_dev_pagemap(cpu, pte.pfn(), context.take());
            if context.is_none() {
                return Ok(Followed::Dying(ptep, pte));
            }
            mapped
        }
        None if flags.contains(Foll::DUMP) => return Err(Errno::Efault),
        None if is_zero_page(cpu, mapped) => mapped,
        None => {
            follow_pfn_pte(cpu, ptep, pte, flags);
            return Err(Errno::Eexist);
        }
    };
    if !pte.is_writable() && gup_must_unshare(cpu, Some(vma), flags, page) {
        return Err(Errno::Emlink);
    }
    must_be_exclusive(cpu, page, flags);
    try_grab_page(cpu, page, flags)?;
    if flags.contains(Foll::PIN)
        && let Err(errno) = arch_make_page_accessible(page)
    {
        unpin_user_page(cpu, page);
        return Err(errno);
    }
    touch(cpu, page, pte, flags);
    Ok(Followed::Page { page, page_mask: 0 })
}

/// `follow_pfn_pte`, of an entry without a struct page that may be used: `FOLL_TOUCH` marks the entry itself. Its caller
/// returns `-EEXIST`.
fn follow_pfn_pte(cpu: &Cpu<'_>, ptep: EntryPtr<'_>, pte: Entry, flags: Foll) {
    if !flags.contains(Foll::TOUCH) {
        return;
    }
    let mut touched = pte.with(Bits::ACCESSED);
    if flags.contains(Foll::WRITE) {
        touched = touched.with(Bits::DIRTY);
    }
    if touched != pte {
        ptep.set(cpu, touched);
    }
}

/// `FOLL_TOUCH`: mark the page dirty if it will be written, and accessed.
fn touch(cpu: &Cpu<'_>, page: &Page, entry: Entry, flags: Foll) {
    if !flags.contains(Foll::TOUCH) {
        return;
    }
    let head = page_folio(cpu, cpu.machine().page(page.pfn)).head();
    if flags.contains(Foll::WRITE)
        && !entry.is_dirty()
        && !read_once_has(cpu, head.flags, PageFlags::DIRTY)
    {
        set_page_flags(cpu, head, PageFlags::DIRTY);
    }
    set_page_flags(cpu, head, PageFlags::REFERENCED);
}

/// `touch_pmd`, `touch_pud`: `FOLL_TOUCH` marks the entry itself, as hardware would.
fn touch_pmd(cpu: &Cpu<'_>, ptr: EntryPtr<'_>, leaf: Entry, flags: Foll) {
    if !flags.contains(Foll::TOUCH) {
        return;
    }
    // From v4.8 to v4.14 a reader's leaf was marked dirty too, and a writer by force took the mark for its own copy. Without it: R39,
    // CVE-2017-1000405. Step `readers-leave-clean`.
    let write = flags.contains(Foll::WRITE) || !cpu.does(Step::ReadersLeaveClean);
    let dirty = if write { Bits::DIRTY } else { Bits::empty() };
    let touched = leaf.with(Bits::ACCESSED | dirty);
    if touched != leaf {
        ptr.set_pmd(cpu, touched);
    }
}

/// `can_follow_write_pte`, `can_follow_write_pmd`: writable, or forced onto a page whose copy-on-write is
/// broken already.
fn can_follow_write(
    cpu: &Cpu<'_>,
    vma: &Vma,
    entry: Entry,
    page: Option<&Page>,
    flags: Foll,
) -> bool {
    if entry.is_writable() {
        return true;
    }
    if !flags.contains(Foll::FORCE)
        || vma.flags.intersects(VmFlags::MAYSHARE | VmFlags::SHARED)
        || !vma.flags.contains(VmFlags::MAYWRITE)
        || vma.vm_flags(cpu).contains(VmFlags::WRITE)
        || entry.is_uffd_wp()
    {
        return false;
    }
    // From v4.9 to v5.19 it was enough that this call had made a copy, and that what it found then was dirty. Without it: R39,
    // CVE-2022-2590. Step `forced-asks-exclusive`.
    if !cpu.does(Step::ForcedAsksExclusive) {
        return flags.contains(Foll::COW) && entry.is_dirty();
    }
    page.is_some_and(|page| {
        page_folio(cpu, cpu.machine().page(page.pfn)).is_anon(cpu) && page_anon_exclusive(cpu, page)
    })
}
