//! A userfaultfd's monitor maps a page of shmem's cache where a fault waits for it: `UFFDIO_CONTINUE`.
//!
//! # The order
//!
//! 1. The page is found in the cache, and locked: what is not there is not made (`SGP_NOALLOC`).
//! 2. Under the lock of the table it is asked again how long the file is, and whether there is nothing in the entry.
//! 3. The entry is dirty, so that what the monitor has put into the page is not lost. Writable it is only where the area is shared:
//!    the cache's page is everybody's, and a private area has a copy made of it.
//!
//! So there are entries that are dirty and may not be written to, of pages that are no copies. Who takes the dirty mark for a
//! sign that a copy was made writes to everybody's page (CVE-2022-2590).

use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::filemap::{File, filemap_get_or_create_folio, folio_is_in, i_size_reaches};
use crate::folio::{Folio, folio_lock, folio_put, page_add_rmap};
use crate::machine::MmId;
use crate::mm::{Mm, VmFlags, Vma, file_of};
use crate::pgtable::{
    Bits, Entry, Level, find_entry, pte_alloc, pte_offset_map_lock, pte_unmap_unlock,
};

/// `mfill_atomic` as `UFFDIO_CONTINUE` calls it, of one page of shmem's. Tables are there down to the pmd. Who waits for the monitor
/// is not woken: nobody does.
///
/// # Errors
/// `-ENOENT` where there is no such area; `-EFAULT` of what is not in the cache, `-EINVAL` behind the end of the file (and `-EFAULT` if
/// that is so only by now); `-EEXIST` where something
/// is mapped; `-ENOMEM`.
pub fn mfill_atomic_continue(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Result<(), Errno> {
    let _span = cpu.span("mfill_atomic_continue");
    let mm = cpu.machine().mm(mm);
    mm.read_lock(cpu);
    let area = mm.vma_lookup(cpu, addr);
    let area = area.and_then(|vma| Some((vma, file_of(cpu, vma)?)));
    let filled = match area {
        Some((vma, file)) => mfill_atomic_pte_continue(cpu, mm, (vma, file), addr),
        None => Err(Errno::Enoent),
    };
    mm.read_unlock(cpu);
    filled
}

/// `mfill_atomic_pte_continue`.
fn mfill_atomic_pte_continue(
    cpu: &Cpu<'_>,
    mm: &Mm,
    (vma, file): (&Vma, &File),
    addr: u64,
) -> Result<(), Errno> {
    let folio = shmem_get_folio(cpu, file, vma.index_of(addr))?;
    let installed = mfill_atomic_install_pte(cpu, mm, (vma, file), addr, folio);
    folio.unlock(cpu);
    if installed.is_err() {
        folio_put(cpu, folio);
    }
    installed
}

/// `shmem_get_folio` that makes nothing (`SGP_NOALLOC`): what the cache has, locked, with a reference.
fn shmem_get_folio<'m>(cpu: &Cpu<'m>, file: &File, index: u64) -> Result<Folio<'m>, Errno> {
    // Each turn but the last has found the folio truncated.
    loop {
        if !i_size_reaches(cpu, file, index) {
            return Err(Errno::Einval);
        }
        let found = filemap_get_or_create_folio(cpu, file, index, false);
        let folio = found.ok_or(Errno::Efault)?;
        folio_lock(cpu, folio);
        if folio_is_in(cpu, file, folio) {
            return Ok(folio);
        }
        folio.unlock(cpu);
        folio_put(cpu, folio);
    }
}

/// `mfill_atomic_install_pte`, of a page of the cache, which is locked. Its reference is the mapping's then.
fn mfill_atomic_install_pte(
    cpu: &Cpu<'_>,
    mm: &Mm,
    (vma, file): (&Vma, &File),
    addr: u64,
    folio: Folio<'_>,
) -> Result<(), Errno> {
    let _span = cpu.span("mfill_atomic_install_pte");
    let pmdp = find_entry(cpu, mm, addr, Level::Pmd).ok_or(Errno::Enomem)?;
    if pmdp.is(cpu, Entry::NONE) && !pte_alloc(cpu, pmdp) {
        return Err(Errno::Enomem);
    }
    let ptep = pte_offset_map_lock(cpu, pmdp, addr).ok_or(Errno::Eagain)?;
    // mfill_file_over_size
    let installed = if !i_size_reaches(cpu, file, vma.index_of(addr)) {
        Err(Errno::Efault)
    } else if !ptep.is(cpu, Entry::NONE) {
        Err(Errno::Eexist)
    } else {
        page_add_rmap(cpu, folio.head());
        ptep.set(cpu, continued(cpu, vma, folio));
        Ok(())
    };
    pte_unmap_unlock(cpu, ptep);
    installed
}

/// The entry: dirty always, and writable where the area is shared and may be written to.
fn continued(cpu: &Cpu<'_>, vma: &Vma, folio: Folio<'_>) -> Entry {
    let entry = vma.mk_pte(cpu, folio.head().pfn).with(Bits::DIRTY);
    if (vma.vm_flags(cpu)).contains(VmFlags::WRITE | VmFlags::SHARED) {
        entry.with(Bits::WRITE)
    } else {
        entry
    }
}
