//! User space touches its memory, and faults.

use crate::cpu::{Cpu, fatal_signal_pending};
use crate::machine::MmId;
use crate::mm::{FaultFlags, VmFault, VmFlags, handle_mm_fault};

/// `do_user_addr_fault`, once, with the mmap lock held for reading: `VM_FAULT_SIGBUS` where there is no area, or it does not allow that.
/// A fault that drops the lock (it may, if the flags let it) is tried once more, with the lock held, or is done. Who finds the entry
/// as it was afterwards, because somebody else was faster, faults again.
pub fn do_user_addr_fault(cpu: &Cpu<'_>, mm: MmId, addr: u64, mut flags: FaultFlags) -> VmFault {
    let _span = cpu.span("do_user_addr_fault");
    let mm = cpu.machine().mm(mm);
    loop {
        mm.read_lock(cpu);
        let fault = match mm.vma_lookup(cpu, addr) {
            Some(vma) if !is_access_error(vma.vm_flags(cpu), flags) => {
                handle_mm_fault(cpu, mm, vma, addr, flags)
            }
            _ => VmFault::Sigbus,
        };
        match fault {
            VmFault::Completed => return fault,
            // fault_signal_pending: before the next try.
            VmFault::Retry if fatal_signal_pending(cpu) => return fault,
            VmFault::Retry => flags |= FaultFlags::TRIED,
            _ => {
                mm.read_unlock(cpu);
                return fault;
            }
        }
    }
}

/// `access_error`: the area does not allow it (`SIGSEGV`).
fn is_access_error(allowed: VmFlags, flags: FaultFlags) -> bool {
    if flags.contains(FaultFlags::WRITE) {
        !allowed.contains(VmFlags::WRITE)
    } else {
        !allowed.is_accessible()
    }
}
