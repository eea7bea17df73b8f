//! Pages that are faulted in and not got: `populate_vma_page_range`, `faultin_vma_page_range`, `__mm_populate`.
//!
//! The areas are told by where they begin, because the model's areas are not handed around: an area is looked up under the mmap lock, as
//! the kernel's callers have done.

use super::Foll;
use super::area::check_vma_flags;
use super::slow::get_user_pages;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::machine::MmId;
use crate::mm::{Mm, VmFlags, Vma};
use crate::pgtable::PAGE_SIZE;
use crate::step::Step;

/// `populate_vma_page_range`: `start..end` of the area, whole pages, as `mlock` and `MAP_POPULATE` fault them in: those that may be
/// written to are, so that they are copied now where they would be later. The mmap lock is held; with a word that says so, it may be
/// dropped, and then the word says that.
///
/// How many pages; fewer where a fault would have to be tried again, or at the first error but the first page's.
///
/// # Errors
/// Those of the first page.
pub fn populate_vma_page_range(
    cpu: &Cpu<'_>,
    mm: &Mm,
    vma: &Vma,
    (start, end): (u64, u64),
    locked: Option<&mut bool>,
) -> Result<usize, Errno> {
    let _span = cpu.span("populate_vma_page_range");
    let nr_pages = ((end - start) / PAGE_SIZE) as usize;
    let allowed = vma.vm_flags(cpu);
    if allowed.contains(VmFlags::LOCKONFAULT) {
        return Ok(nr_pages);
    }
    let mut flags = Foll::TOUCH;
    let copied = VmFlags::WRITE | VmFlags::SHARED;
    flags.set(Foll::WRITE, allowed.intersection(copied) == VmFlags::WRITE);
    flags.set(Foll::FORCE, allowed.is_accessible());
    flags.set(Foll::UNLOCKABLE, locked.is_some());
    let mut held = true;
    let locked = locked.unwrap_or(&mut held);
    get_user_pages(cpu, mm, &mut None, (start, nr_pages), flags, None, locked)
    // lru_add_drain: this CPU's batch, in which no scenario has what this call has put there.
}

/// `faultin_vma_page_range`: the same for `MADV_POPULATE_READ` and `_WRITE`, which asks no favour: what the area does not allow is an
/// error.
///
/// # Errors
/// `-EINVAL` of an area that does not allow it; those of the first page.
pub fn faultin_vma_page_range(
    cpu: &Cpu<'_>,
    mm: &Mm,
    vma: &Vma,
    (start, end): (u64, u64),
    write: bool,
    locked: &mut bool,
) -> Result<usize, Errno> {
    let _span = cpu.span("faultin_vma_page_range");
    let nr_pages = ((end - start) / PAGE_SIZE) as usize;
    let mut flags = Foll::TOUCH | Foll::HWPOISON | Foll::UNLOCKABLE;
    flags.set(Foll::WRITE, write);
    // PARITY 60: v6.9 looks areas up inside the walk (`FOLL_MADV_POPULATE`), and tells a hole by `-ENOMEM`; v6.6 to v6.8 do it here.
    if check_vma_flags(cpu, vma, flags).is_err() {
        return Err(Errno::Einval);
    }
    get_user_pages(cpu, mm, &mut None, (start, nr_pages), flags, None, locked)
}

/// `__mm_populate`: all areas in `start..start + len`, each as [`populate_vma_page_range`] does it; holes are left out. Takes the mmap
/// lock, and whenever a fault has dropped it, looks the next area up anew.
///
/// # Errors
/// The first area's that fails, unless they are to be ignored.
pub fn mm_populate(
    cpu: &Cpu<'_>,
    mm: MmId,
    start: u64,
    len: u64,
    ignore_errors: bool,
) -> Result<(), Errno> {
    let _span = cpu.span("__mm_populate");
    let mm = cpu.machine().mm(mm);
    let end = start + len;
    let mut locked = false;
    let mut area: Option<&Vma> = None;
    let mut next = start;
    let mut result = Ok(());
    while next < end {
        if !locked {
            locked = true;
            mm.read_lock(cpu);
            // A fault may have dropped the lock, and the area may be gone. Without it, pages and tables where nobody unmaps them. Step
            // `populate-looks-anew`.
            if area.is_none() || cpu.does(Step::PopulateLooksAnew) {
                area = mm.find_vma_intersection(cpu, next, end);
            }
        } else if let Some(vma) = area.filter(|vma| next >= vma.end) {
            area = mm.find_vma_intersection(cpu, vma.end, end);
        }
        let Some(vma) = area else { break };
        let stop = end.min(vma.end);
        if vma.flags.intersects(VmFlags::IO | VmFlags::PFNMAP) {
            next = stop;
            continue;
        }
        let from = next.max(vma.start);
        match populate_vma_page_range(cpu, mm, vma, (from, stop), Some(&mut locked)) {
            Ok(pages) => next = from + pages as u64 * PAGE_SIZE,
            Err(_) if ignore_errors => next = stop,
            Err(errno) => {
                result = Err(errno);
                break;
            }
        }
    }
    if locked {
        mm.read_unlock(cpu);
    }
    result
}
