//! The gate area: a page of the kernel's own, which no area of the mm tells of. `get_gate_page`.
//!
//! # The rules
//!
//! 1. It is looked for only where there is no area. What an area allows is not asked, because there is none: only that nobody wants
//!    to write.
//! 2. Above user space the kernel's own tables are walked, below it the mm's.
//! 3. No lock is taken: nobody changes these entries while the machine runs. The mmap lock is held and does not matter.
//! 4. A level that is not there is `-EFAULT`, and nothing is ever faulted in.
//! 5. A special entry gives no page, but for the zero page's, and that not to a core dump.

use super::grab::try_grab_page;
use super::{Errno, Foll};
use crate::cpu::Cpu;
use crate::folio::{Page, is_zero_page};
use crate::machine::MmId;
use crate::mm::Mm;
use crate::pgtable::{Level, PAGE_SIZE, pgd_offset, pte_offset_map_nolock, pte_unmap, table_entry};

/// `in_gate_area`: whether the kernel has its page there.
pub(super) fn in_gate_area(cpu: &Cpu<'_>, addr: u64) -> bool {
    let gate = cpu.machine().gate;
    gate.is_some_and(|gate| gate.start <= addr && addr < gate.start + PAGE_SIZE)
}

/// `get_gate_page`, of an address in it: its page, with a reference or pin if one is `wanted`.
///
/// # Errors
/// `-EFAULT` for writers, and of what is not mapped or is no page; those of [`try_grab_page`].
pub(super) fn get_gate_page<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    addr: u64,
    flags: Foll,
    wanted: bool,
) -> Result<Option<&'m Page>, Errno> {
    let _span = cpu.span("get_gate_page");
    if flags.contains(Foll::WRITE) {
        return Err(Errno::Efault);
    }
    let machine = cpu.machine();
    let geometry = &machine.geometry;
    let kernel = machine.gate.filter(|_| addr > geometry.task_size());
    // pgd_offset_k, pgd_offset_gate
    let of = kernel.map_or(mm, |gate| machine.mm(MmId(gate.init_mm)));
    let mut ptr = pgd_offset(cpu, of, addr);
    for level in [Level::P4d, Level::Pud, Level::Pmd] {
        if geometry.is_folded(level) {
            continue;
        }
        let above = ptr.get(cpu);
        if above.is_none() {
            return Err(Errno::Efault);
        }
        ptr = table_entry(cpu, above.pfn(), level, addr);
    }
    if !ptr.get(cpu).pmd_present() {
        return Err(Errno::Efault);
    }
    // pte_offset_map, which has no table where there is a leaf.
    let ptep = pte_offset_map_nolock(cpu, ptr, addr).ok_or(Errno::Efault)?;
    let pte = ptep.get(cpu);
    let page = machine.page(pte.pfn());
    let got = if pte.is_none() {
        Err(Errno::Efault)
    } else if !wanted {
        Ok(None)
    } else if pte.is_special() && (flags.contains(Foll::DUMP) || !is_zero_page(cpu, page)) {
        Err(Errno::Efault)
    } else {
        try_grab_page(cpu, page, flags).map(|()| Some(page))
    };
    pte_unmap(cpu);
    got
}
