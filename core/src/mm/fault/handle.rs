//! One fault under way, and where it goes: `handle_mm_fault`, called with the mmap lock held for reading.

use super::wait::wait_for_change;
use crate::cpu::Cpu;
use crate::mm::{Backing, FaultFlags, Mm, VmFault, VmFlags, Vma, file_of};
use crate::pgtable::{
    Entry, EntryPtr, Level, pgd_offset, pte_alloc, pte_offset_map_nolock, pte_unmap,
    pte_unmap_unlock, table_entry,
};

/// One fault under way.
pub(super) struct Fault<'a, 'm> {
    pub(super) cpu: &'a Cpu<'m>,
    pub(super) mm: &'a Mm,
    pub(super) vma: &'a Vma,
    pub(super) addr: u64,
    pub(super) flags: FaultFlags,
    /// The pmd entry; of hugetlb's that of its level.
    pub(super) pmdp: EntryPtr<'m>,
}

/// `handle_mm_fault`.
pub fn handle_mm_fault(
    cpu: &Cpu<'_>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    mut flags: FaultFlags,
) -> VmFault {
    let _span = cpu.span("handle_mm_fault");
    if let Err(fault) = sanitize_fault_flags(cpu, vma, &mut flags) {
        return fault;
    }
    if vma.backing == Backing::Hugetlb {
        return hugetlb(cpu, mm, vma, addr, flags);
    }
    let pmdp = match tables_alloc(cpu, mm, addr, Level::Pmd) {
        Ok(pmdp) => pmdp,
        Err(fault) => return fault,
    };
    let fault = Fault {
        cpu,
        mm,
        vma,
        addr,
        flags,
        pmdp,
    };
    if fault.may_be_huge() && pmdp.is(cpu, Entry::NONE) {
        let huge = fault.do_huge_pmd_anonymous_page();
        return huge.unwrap_or_else(|| fault.handle_pte_fault());
    }
    let pmd = pmdp.read_once(cpu);
    if pmd.is_migration() {
        return fault.wait_for_entry(pmdp, pmd);
    }
    if pmd.is_huge() {
        return fault.huge(pmd);
    }
    fault.handle_pte_fault()
}

/// `hugetlb_fault`, which takes its mutex before it looks for tables.
fn hugetlb(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma, addr: u64, flags: FaultFlags) -> VmFault {
    // What boot has mapped where there is no file is not faulted in.
    let Some(file) = file_of(cpu, vma) else {
        return VmFault::Sigbus;
    };
    file.fault_mutex.lock(cpu);
    match tables_alloc(cpu, mm, addr, cpu.machine().hstate) {
        Ok(pmdp) => {
            let fault = Fault {
                cpu,
                mm,
                vma,
                addr,
                flags,
                pmdp,
            };
            fault.hugetlb_fault(file)
        }
        Err(fault) => {
            file.fault_mutex.unlock(cpu);
            fault
        }
    }
}

/// `sanitize_fault_flags`: where nothing is copied on write, nothing is shared that way either; and nobody may write there whom the
/// area does not let.
fn sanitize_fault_flags(cpu: &Cpu<'_>, vma: &Vma, flags: &mut FaultFlags) -> Result<(), VmFault> {
    let cow = vma.flags.is_cow();
    if !cow {
        flags.remove(FaultFlags::UNSHARE);
    }
    if flags.contains(FaultFlags::WRITE) && !cow {
        let may = vma.flags.contains(VmFlags::MAYWRITE);
        if !may || !vma.vm_flags(cpu).contains(VmFlags::WRITE) {
            return Err(VmFault::Sigbus);
        }
    }
    Ok(())
}

/// `p4d_alloc`, `pud_alloc`, `pmd_alloc`, `huge_pte_alloc`: the entry of a level above the PTE's, with all tables above it in place, or
/// how the fault ends.
fn tables_alloc<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64, to: Level) -> Result<EntryPtr<'m>, VmFault> {
    let geometry = &cpu.machine().geometry;
    let mut ptr = pgd_offset(cpu, mm, addr);
    for level in [Level::P4d, Level::Pud, Level::Pmd] {
        if geometry.is_folded(level) || level > to {
            continue;
        }
        let mut entry = ptr.read_once(cpu);
        if entry.is_none() {
            if !pte_alloc(cpu, ptr) {
                return Err(VmFault::Oom);
            }
            entry = ptr.read_once(cpu);
        }
        if entry.is_huge() {
            return Err(VmFault::Sigbus);
        }
        ptr = table_entry(cpu, entry.pfn(), level, addr);
    }
    Ok(ptr)
}

impl<'m> Fault<'_, 'm> {
    pub(super) fn wants_write(&self) -> bool {
        self.flags
            .intersects(FaultFlags::WRITE | FaultFlags::UNSHARE)
    }

    /// `migration_entry_wait` and its kin: until the entry is another. (The kernel waits for the folio's
    /// lock, which is dropped after the entry has changed.)
    pub(super) fn wait_for_entry(&self, ptr: EntryPtr<'m>, entry: Entry) -> VmFault {
        wait_for_change(self.cpu, ptr, entry);
        VmFault::Done
    }

    /// `do_pte_missing`.
    fn do_pte_missing(&self) -> VmFault {
        if self.vma.backing == Backing::Anon {
            self.do_anonymous_page()
        } else {
            self.do_fault()
        }
    }

    /// `handle_pte_fault`.
    pub(super) fn handle_pte_fault(&self) -> VmFault {
        let cpu = self.cpu;
        if self.pmdp.is(cpu, Entry::NONE) {
            return self.do_pte_missing();
        }
        let Some(ptep) = pte_offset_map_nolock(cpu, self.pmdp, self.addr) else {
            return VmFault::Done;
        };
        // Compared again under the lock before it is used: nothing is dereferenced here.
        let pte = ptep.get(cpu);
        if !pte.pte_present() {
            pte_unmap(cpu);
            return if pte.is_none() {
                self.do_pte_missing()
            } else if pte.is_migration() {
                self.wait_for_entry(ptep, pte)
            } else if let Some(slot) = pte.swap_slot() {
                self.do_swap_page(pte, slot)
            } else if pte.is_hwpoison() {
                VmFault::Hwpoison
            } else {
                VmFault::Sigbus
            };
        }
        // No look at the pmd: the mmap lock keeps the table linked.
        ptep.lock().lock(cpu);
        if !ptep.is_still(cpu, pte) {
            pte_unmap_unlock(cpu, ptep);
            return VmFault::Done;
        }
        if pte.is_prot_none() && self.vma.vm_flags(cpu).is_accessible() {
            // do_numa_page: the page stays where it is, and the hint is taken back.
            let normal = self.without_hint(pte);
            // ptep_modify_prot_start: what hardware may not use it does not mark.
            ptep.clear(cpu);
            ptep.set(cpu, normal);
        } else if self.wants_write() && !pte.is_writable() {
            return self.do_wp_page(ptep, pte);
        } else {
            self.set_accessed(ptep, pte);
        }
        pte_unmap_unlock(cpu, ptep);
        VmFault::Done
    }
}
