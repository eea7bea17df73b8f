//! Who asks for another protection.

use super::change::change_protection;
use super::what::Change;
use crate::boot::Area;
use crate::cpu::Cpu;
use crate::mm::{MmuGather, VmFlags};

/// `do_mprotect_pkey`, of a whole area: it allows `access` (of `READ` and `WRITE`) from now on.
pub fn mprotect(cpu: &Cpu<'_>, area: Area, access: VmFlags) {
    let _span = cpu.span("do_mprotect_pkey");
    let mm = cpu.machine().mm(area.mm);
    let vma = &mm.vmas[area.vma];
    mm.write_lock(cpu);
    let old = vma.vm_flags(cpu);
    let new = old.difference(VmFlags::READ | VmFlags::WRITE) | access;
    // mprotect_fixup
    if new != old {
        let mut tlb = MmuGather::new(cpu, mm);
        vma.vm_flags_reset(cpu, new);
        // vma_wants_manual_pte_write_upgrade: a shared area is one that wants to hear of writes.
        let upgrade = new.contains(VmFlags::WRITE);
        change_protection(cpu, &mut tlb, mm, vma, Change::Protect { upgrade });
        tlb.finish(cpu);
    }
    mm.write_unlock(cpu);
}

/// `change_prot_numa`, of a whole area: NUMA hints, as `task_numa_work` sets them, with the mmap lock held for reading.
pub fn change_prot_numa(cpu: &Cpu<'_>, area: Area) {
    let _span = cpu.span("change_prot_numa");
    change_with_read_lock(cpu, area, Change::NumaHint);
}

/// `mwriteprotect_range`, of a whole area that a userfaultfd watches: its pages are write-protected, or that is `resolved`.
pub fn mwriteprotect_range(cpu: &Cpu<'_>, area: Area, resolved: bool) {
    let _span = cpu.span("mwriteprotect_range");
    let change = if resolved {
        Change::UffdWpResolve
    } else {
        Change::UffdWp
    };
    change_with_read_lock(cpu, area, change);
}

fn change_with_read_lock(cpu: &Cpu<'_>, area: Area, change: Change) {
    let mm = cpu.machine().mm(area.mm);
    mm.read_lock(cpu);
    let mut tlb = MmuGather::new(cpu, mm);
    change_protection(cpu, &mut tlb, mm, &mm.vmas[area.vma], change);
    tlb.finish(cpu);
    mm.read_unlock(cpu);
}
