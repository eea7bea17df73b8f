//! User space touches its memory, and faults.

use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::mm::{FaultFlags, VmFault, handle_mm_fault};

/// `do_user_addr_fault`, once, with the mmap lock held for reading: `VM_FAULT_SIGBUS` where there is no area. Who finds the
/// entry as it was afterwards, because somebody else was faster, faults again.
pub fn do_user_addr_fault(cpu: &Cpu<'_>, mm: MmId, addr: u64, flags: FaultFlags) -> VmFault {
    let _span = cpu.span("do_user_addr_fault");
    let mm = cpu.machine().mm(mm);
    mm.read_lock(cpu);
    let fault = match mm.vma_lookup(cpu, addr) {
        Some(vma) => handle_mm_fault(cpu, mm, vma, addr, flags),
        None => VmFault::Sigbus,
    };
    mm.read_unlock(cpu);
    fault
}
