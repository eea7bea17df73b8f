//! Faults that GUP makes: `faultin_page`, `fixup_user_fault`.

use super::Foll;
use super::area::{gup_vma_lookup, vma_permits_fault};
use super::args::untagged_addr;
use crate::cpu::{Cpu, fatal_signal_pending};
use crate::errno::Errno;
use crate::machine::MmId;
use crate::mm::{FaultFlags, Mm, VmFault, Vma, handle_mm_fault};
use crate::step::Step;

/// `faultin_page`. Called with the mmap lock held; if it drops it, `locked` says so, and it ends with `-EBUSY`, or with `-EAGAIN` if
/// the fault is done all the same.
///
/// # Errors
/// `-EFAULT` where there is no page to be had or nobody may fault, `-ENOMEM`, and `-EBUSY` where the caller must look again: with the
/// lock dropped, or not, if it would not wait (`FOLL_NOWAIT`).
pub(super) fn faultin_page(
    cpu: &Cpu<'_>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    flags: Foll,
    unshare: bool,
    locked: &mut bool,
) -> Result<(), Errno> {
    let _span = cpu.span("faultin_page");
    if flags.contains(Foll::NOFAULT) {
        return Err(Errno::Efault);
    }
    let fault = fault_flags(flags, unshare);
    match handle_mm_fault(cpu, mm, vma, addr, fault) {
        VmFault::Done => Ok(()),
        VmFault::Retry => {
            if !fault.contains(FaultFlags::RETRY_NOWAIT) {
                *locked = false;
            }
            Err(Errno::Ebusy)
        }
        // There is nothing to do again but to take the lock: no -EBUSY, but its caller makes the same of both.
        VmFault::Completed => {
            *locked = false;
            Err(Errno::Eagain)
        }
        error => Err(vm_fault_to_errno(error, flags)),
    }
}

/// What `faultin_page` asks the fault for.
fn fault_flags(flags: Foll, unshare: bool) -> FaultFlags {
    let mut fault = FaultFlags::empty();
    // A caller that unshares does not write: only a read-only pin is told to.
    fault.set(FaultFlags::WRITE, flags.contains(Foll::WRITE));
    fault.set(FaultFlags::UNSHARE, unshare);
    fault.set(FaultFlags::REMOTE, flags.contains(Foll::REMOTE));
    fault.set(FaultFlags::TRIED, flags.contains(Foll::TRIED));
    if flags.contains(Foll::UNLOCKABLE) {
        fault |= FaultFlags::ALLOW_RETRY | FaultFlags::KILLABLE;
        let interruptible = flags.contains(Foll::INTERRUPTIBLE);
        fault.set(FaultFlags::INTERRUPTIBLE, interruptible);
    }
    if flags.contains(Foll::NOWAIT) {
        fault |= FaultFlags::ALLOW_RETRY | FaultFlags::RETRY_NOWAIT;
    }
    fault
}

/// `vm_fault_to_errno`, of a fault that failed.
const fn vm_fault_to_errno(fault: VmFault, flags: Foll) -> Errno {
    match fault {
        VmFault::Oom => Errno::Enomem,
        VmFault::Hwpoison if flags.contains(Foll::HWPOISON) => Errno::Ehwpoison,
        _ => Errno::Efault,
    }
}

/// The area that `addr` is in, if it allows the fault.
fn area_for_fault<'a>(
    cpu: &Cpu<'_>,
    mm: &'a Mm,
    addr: u64,
    fault: FaultFlags,
) -> Result<&'a Vma, Errno> {
    gup_vma_lookup(cpu, mm, addr)
        .filter(|vma| vma_permits_fault(cpu, vma, fault))
        .ok_or(Errno::Efault)
}

/// `fixup_user_fault`: faults a page in as user space would, with the mmap lock held for reading before and after; what futexes,
/// KVM and file systems do once they were refused an access. `unlocked`, if there is one, lets the lock be dropped meanwhile, and is set if it was:
/// then no area that was looked up before may be believed.
///
/// # Errors
/// `-EFAULT` where there is no area or it does not allow that, `-EINTR` of a fatal signal, `-ENOMEM`.
pub fn fixup_user_fault(
    cpu: &Cpu<'_>,
    mm: MmId,
    addr: u64,
    fault: FaultFlags,
    mut unlocked: Option<&mut bool>,
) -> Result<(), Errno> {
    let _span = cpu.span("fixup_user_fault");
    let mm = cpu.machine().mm(mm);
    let addr = untagged_addr(cpu, addr);
    let mut fault = fault;
    if unlocked.is_some() {
        fault |= FaultFlags::ALLOW_RETRY | FaultFlags::KILLABLE;
    }
    let mut believed = None;
    // Two turns at most drop the lock: the second waits with it held.
    loop {
        // Once the lock was dropped the area may be gone, or allow less. Without it, a fault is called done that mended nothing. Step
        // `fixup-asks-again`.
        let vma = match believed {
            Some(vma) if !cpu.does(Step::FixupAsksAgain) => vma,
            _ => area_for_fault(cpu, mm, addr, fault)?,
        };
        believed = Some(vma);
        if fault.contains(FaultFlags::KILLABLE) && fatal_signal_pending(cpu) {
            return Err(Errno::Eintr);
        }
        match handle_mm_fault(cpu, mm, vma, addr, fault) {
            VmFault::Done => return Ok(()),
            VmFault::Retry => {
                mm.read_lock(cpu);
                if let Some(unlocked) = unlocked.as_deref_mut() {
                    *unlocked = true;
                }
                fault |= FaultFlags::TRIED;
            }
            VmFault::Completed => {
                // Its callers drop the lock.
                mm.read_lock(cpu);
                if let Some(unlocked) = unlocked {
                    *unlocked = true;
                }
                return Ok(());
            }
            error => return Err(vm_fault_to_errno(error, Foll::empty())),
        }
    }
}
