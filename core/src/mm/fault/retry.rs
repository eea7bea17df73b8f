//! A fault that has to wait for a folio's lock: with the mmap lock held, or without.

use super::handle::Fault;
use crate::cpu::fatal_signal_pending;
use crate::folio::{Folio, folio_lock, folio_wait_locked};
use crate::mm::{FaultFlags, VmFault};

impl<'m> Fault<'_, 'm> {
    /// `folio_lock_or_retry`.
    ///
    /// # Errors
    /// `VM_FAULT_RETRY` if the folio is not locked. The mmap lock is dropped then, but for `FAULT_FLAG_RETRY_NOWAIT`.
    pub(super) fn folio_lock_or_retry(&self, folio: Folio<'m>) -> Result<(), VmFault> {
        let cpu = self.cpu;
        if folio.trylock(cpu) {
            return Ok(());
        }
        if self.flags.allow_retry_first() {
            if self.flags.contains(FaultFlags::RETRY_NOWAIT) {
                return Err(VmFault::Retry);
            }
            self.mm.read_unlock(cpu);
            folio_wait_locked(cpu, folio);
            return Err(VmFault::Retry);
        }
        // __folio_lock_killable. A signal that comes during the wait does not end it here; one that came before does.
        if self.flags.contains(FaultFlags::KILLABLE) && fatal_signal_pending(cpu) {
            self.mm.read_unlock(cpu);
            return Err(VmFault::Retry);
        }
        folio_lock(cpu, folio);
        Ok(())
    }
}
