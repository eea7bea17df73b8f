//! A page of a file: `filemap_fault`, `shmem_fault`, `secretmem_fault`. Each gives a locked folio, with a reference.
//!
//! # The rules of `filemap_fault`
//!
//! 1. It looks whether the file is long enough. That is asked again with the folio locked, because the file may become shorter.
//! 2. What is in the cache is taken, without a lock. What is not is put there, empty, with `invalidate_lock` held for reading: whoever
//!    makes the file shorter holds it for writing.
//! 3. The folio is locked. If somebody else has it, the mmap lock is dropped for the wait, if that may be, and once only; then all
//!    that follows is for the next try, and this one ends with `VM_FAULT_RETRY`.
//! 4. A folio that is in the file no more is given back, and another one is looked for.
//! 5. One with nothing in it is read, and for that the mmap lock is dropped as in 3. Who may not drop it waits with the lock held, and
//!    looks again.
//!
//! The file is read as one that is read at random (`MADV_RANDOM`): nothing is read ahead.
//!
//! shmem has its pages in memory alone: a hole is a new page with zeroes, and the mmap lock is never dropped for one. Nor is it for
//! secretmem's.

use super::file::{Turn, pgoff, unlock_and_put};
use super::handle::Fault;
use crate::cpu::fatal_signal_pending;
use crate::filemap::{
    File, filemap_add_folio, filemap_alloc_folio, filemap_get_or_create_folio, filemap_read_folio,
    filemap_remove_folio, folio_is_in, folio_is_uptodate, folio_mark_uptodate, i_size_reaches,
};
use crate::folio::{Folio, Owner, alloc_folio, folio_lock, folio_put};
use crate::lkmm::smp_wmb;
use crate::mm::{FaultFlags, VmFault, VmFlags};
use crate::step::Step;
use crate::sync::LockMode;

/// What a `filemap_fault` has, beside its folio.
#[derive(Default)]
struct Has {
    /// `fpin`: it has dropped the mmap lock, and will end with `VM_FAULT_RETRY`.
    dropped: bool,
    /// `invalidate_lock`, for reading.
    invalidate_lock: bool,
}

impl<'m> Fault<'_, 'm> {
    /// `maybe_unlock_mmap_for_io`: drops the mmap lock, if the fault may. Whether it did.
    pub(super) fn maybe_unlock_mmap_for_io(&self) -> bool {
        let may = self.flags.allow_retry_first() && !self.flags.contains(FaultFlags::RETRY_NOWAIT);
        if may {
            self.mm.read_unlock(self.cpu);
        }
        may
    }

    /// `filemap_fault`.
    ///
    /// # Errors
    /// `VM_FAULT_SIGBUS` behind the end of the file, or if it cannot be read; `VM_FAULT_OOM`; `VM_FAULT_RETRY` with the mmap lock
    /// dropped, but for `FAULT_FLAG_RETRY_NOWAIT`.
    pub(super) fn filemap_fault(&self, file: &File) -> Turn<Folio<'m>> {
        let cpu = self.cpu;
        let _span = cpu.span("filemap_fault");
        if !i_size_reaches(cpu, file, pgoff(self)) {
            return Err(VmFault::Sigbus);
        }
        let mut has = Has::default();
        let got = self.filemap_fault_locked(file, &mut has);
        if has.invalidate_lock {
            file.invalidate_lock.unlock(cpu, LockMode::Shared);
        }
        let folio = got?;
        // ORDERING: that of the two locks: whoever truncates has changed the length before it took the lock of the file, and looks for pages after
        // that. Pairs with truncate_size. Without it: a page behind the end is mapped, for which nobody looks any more. Step
        // `fault-asks-size`.
        if cpu.does(Step::FaultAsksSize) && !i_size_reaches(cpu, file, pgoff(self)) {
            unlock_and_put(cpu, folio);
            return Err(VmFault::Sigbus);
        }
        Ok(folio)
    }

    /// Its middle: a locked folio of the file's, with what belongs into it.
    fn filemap_fault_locked(&self, file: &File, has: &mut Has) -> Turn<Folio<'m>> {
        let (cpu, index) = (self.cpu, pgoff(self));
        let mut found = filemap_get_or_create_folio(cpu, file, index, false);
        if let Some(folio) = found
            && !folio_is_uptodate(cpu, folio)
        {
            invalidate_lock_shared(self, file, has);
        }
        // Each turn but the last has found the folio truncated, or has read it.
        loop {
            let folio = if let Some(folio) = found.take() {
                folio
            } else {
                invalidate_lock_shared(self, file, has);
                let created = filemap_get_or_create_folio(cpu, file, index, true);
                let failed = if has.dropped {
                    VmFault::Retry
                } else {
                    VmFault::Oom
                };
                created.ok_or(failed)?
            };
            if !self.lock_folio_maybe_drop_mmap(folio, has) {
                folio_put(cpu, folio);
                return Err(VmFault::Retry);
            }
            // ORDERING: the folio lock's. Pairs with filemap_remove_folio, with the folio locked. Without it: a truncated page is
            // mapped. Step `fault-asks-mapping`.
            if cpu.does(Step::FaultAsksMapping) && !folio_is_in(cpu, file, folio) {
                unlock_and_put(cpu, folio);
            } else if folio_is_uptodate(cpu, folio) {
                if has.dropped {
                    unlock_and_put(cpu, folio);
                    return Err(VmFault::Retry);
                }
                return Ok(folio);
            } else if has.invalidate_lock {
                self.page_not_uptodate(file, folio, has)?;
            } else {
                // It was a moment ago.
                unlock_and_put(cpu, folio);
            }
        }
    }

    /// Reads a locked folio, which is given back then: it is looked for once more.
    ///
    /// # Errors
    /// `VM_FAULT_RETRY`, `VM_FAULT_SIGBUS`.
    fn page_not_uptodate(&self, file: &File, folio: Folio<'m>, has: &mut Has) -> Turn<()> {
        let cpu = self.cpu;
        has.dropped = has.dropped || self.maybe_unlock_mmap_for_io();
        let read = filemap_read_folio(cpu, file, folio);
        folio_put(cpu, folio);
        if has.dropped {
            Err(VmFault::Retry)
        } else if read {
            Ok(())
        } else {
            Err(VmFault::Sigbus)
        }
    }

    /// `lock_folio_maybe_drop_mmap`: whether it is locked. Somebody else may have it: then the mmap lock is dropped, if that may be, and
    /// the fault will end without it.
    fn lock_folio_maybe_drop_mmap(&self, folio: Folio<'m>, has: &mut Has) -> bool {
        let cpu = self.cpu;
        if folio.trylock(cpu) {
            return true;
        }
        if self.flags.contains(FaultFlags::RETRY_NOWAIT) {
            return false;
        }
        has.dropped = has.dropped || self.maybe_unlock_mmap_for_io();
        // __folio_lock_killable. A signal that comes during the wait does not end it here; one that came before does.
        if self.flags.contains(FaultFlags::KILLABLE) && fatal_signal_pending(cpu) {
            // Only who ends with VM_FAULT_RETRY is asked for signals.
            if !has.dropped {
                self.mm.read_unlock(cpu);
            }
            return false;
        }
        folio_lock(cpu, folio);
        true
    }

    /// `shmem_fault`, `shmem_get_folio_gfp`, of what is not in swap space.
    ///
    /// # Errors
    /// `VM_FAULT_SIGBUS` behind the end of the file, and where a userfaultfd is to be asked for a page that is in the cache;
    /// `VM_FAULT_OOM`.
    pub(super) fn shmem_fault(&self, file: &File) -> Turn<Folio<'m>> {
        let (cpu, index) = (self.cpu, pgoff(self));
        let _span = cpu.span("shmem_fault");
        // Each turn but the last has found the folio truncated, or saw somebody else put one there.
        loop {
            if !i_size_reaches(cpu, file, index) {
                return Err(VmFault::Sigbus);
            }
            if let Some(folio) = filemap_get_or_create_folio(cpu, file, index, false) {
                // handle_userfault: nobody waits for the monitor here.
                if self.vma.flags.contains(VmFlags::UFFD_MINOR) {
                    folio_put(cpu, folio);
                    return Err(VmFault::Sigbus);
                }
                folio_lock(cpu, folio);
                if folio_is_in(cpu, file, folio) {
                    return Ok(folio);
                }
                unlock_and_put(cpu, folio);
                continue;
            }
            let folio = filemap_alloc_folio(cpu).ok_or(VmFault::Oom)?;
            if filemap_add_folio(cpu, file, index, folio).is_err() {
                folio_put(cpu, folio);
                continue;
            }
            folio_mark_uptodate(cpu, folio);
            // The file may have become shorter since it was asked.
            if !i_size_reaches(cpu, file, index) {
                filemap_remove_folio(cpu, file, index, folio);
                unlock_and_put(cpu, folio);
                return Err(VmFault::Sigbus);
            }
            return Ok(folio);
        }
    }

    /// `secretmem_fault`. The page leaves the kernel's own map of memory, of which nothing is modelled.
    ///
    /// # Errors
    /// `VM_FAULT_SIGBUS` behind the end of the file, `VM_FAULT_OOM`.
    pub(super) fn secretmem_fault(&self, file: &File) -> Turn<Folio<'m>> {
        let (cpu, index) = (self.cpu, pgoff(self));
        let _span = cpu.span("secretmem_fault");
        if !i_size_reaches(cpu, file, index) {
            return Err(VmFault::Sigbus);
        }
        file.invalidate_lock.lock(cpu, LockMode::Shared);
        // Each turn but the last has found the folio truncated, or saw somebody else put one there.
        let got = loop {
            if let Some(folio) = filemap_get_or_create_folio(cpu, file, index, false) {
                folio_lock(cpu, folio);
                if folio_is_in(cpu, file, folio) {
                    break Ok(folio);
                }
                unlock_and_put(cpu, folio);
                continue;
            }
            // With zeroes in it.
            let Some(folio) = alloc_folio(cpu, 0, Owner::Us) else {
                break Err(VmFault::Oom);
            };
            // __folio_mark_uptodate, before anybody can find it: the barrier is what is left of it here, where the mark is that it is not.
            smp_wmb(cpu);
            if filemap_add_folio(cpu, file, index, folio).is_ok() {
                break Ok(folio);
            }
            folio_put(cpu, folio);
        };
        file.invalidate_lock.unlock(cpu, LockMode::Shared);
        got
    }
}

/// `filemap_invalidate_lock_shared`, once.
fn invalidate_lock_shared(fault: &Fault<'_, '_>, file: &File, has: &mut Has) {
    if !has.invalidate_lock {
        file.invalidate_lock.lock(fault.cpu, LockMode::Shared);
        has.invalidate_lock = true;
    }
}
