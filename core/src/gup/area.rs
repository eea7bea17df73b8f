//! The area that an address is in, and what it allows: `gup_vma_lookup`, `check_vma_flags`, `vma_permits_fault`.

use super::Foll;
use super::gates::writable_file_mapping_allowed;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::mm::{Backing, FaultFlags, Mm, VmFlags, Vma};

/// How far below a stack an access may be for the kernel to tell that it no longer grows it: 64 KiB.
const STACK_WARNING: u64 = 65_536;

/// `gup_vma_lookup`: the area, and no growing of stacks (v6.5). Who asks for what lies not far below one is told of: in the
/// kernel's log, at most once an hour, and to nobody else.
pub(super) fn gup_vma_lookup<'a>(cpu: &Cpu<'_>, mm: &'a Mm, addr: u64) -> Option<&'a Vma> {
    let vma = mm.find_vma(cpu, addr)?;
    if vma.start <= addr {
        return Some(vma);
    }
    if vma.flags.contains(VmFlags::GROWSDOWN) && vma.start - addr <= STACK_WARNING {
        cpu.remark("GUP no longer grows the stack");
    }
    None
}

/// `check_vma_flags`.
///
/// # Errors
/// `-EOPNOTSUPP` of a long-term pin of fsdax; `-EFAULT` of everything else that is not allowed.
pub(super) fn check_vma_flags(cpu: &Cpu<'_>, vma: &Vma, flags: Foll) -> Result<(), Errno> {
    if vma.flags.intersects(VmFlags::IO | VmFlags::PFNMAP) {
        return Err(Errno::Efault);
    }
    let anon = vma.backing == Backing::Anon;
    if flags.contains(Foll::ANON) && !anon {
        return Err(Errno::Efault);
    }
    if flags.contains(Foll::LONGTERM) && vma.backing == Backing::FsDax {
        return Err(Errno::Eopnotsupp);
    }
    if vma.backing == Backing::Secretmem {
        return Err(Errno::Efault);
    }
    if flags.contains(Foll::WRITE) {
        if !anon && !writable_file_mapping_allowed(cpu, vma, flags) {
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

/// `vma_permits_fault`.
pub(super) fn vma_permits_fault(cpu: &Cpu<'_>, vma: &Vma, fault: FaultFlags) -> bool {
    let needed = if fault.contains(FaultFlags::WRITE) {
        VmFlags::WRITE
    } else {
        VmFlags::READ
    };
    vma.vm_flags(cpu).contains(needed)
}
