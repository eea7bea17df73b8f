//! A huge leaf of the PUD level is cleared: `zap_pud_range`, as far as there are such leaves.
//!
//! Only a device's memory is mapped by one, outside of hugetlb: nothing of it is counted, and no table was deposited for it. One that is to
//! go in part goes as a whole (`split_huge_pud`): the next fault finds what stays.

use crate::cpu::Cpu;
use crate::mm::{Mm, MmuGather};
use crate::pgtable::{Level, find_entry};
use std::ops::Range;

/// `zap_huge_pud`, or `split_huge_pud`, if there is such a leaf: what it spanned. The flush is the caller's.
pub(super) fn zap_pud<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    addr: u64,
) -> Option<Range<u64>> {
    let machine = cpu.machine();
    // A machine without a device's memory is spared the look.
    if machine.pagemaps().is_empty() || machine.geometry.is_folded(Level::Pud) {
        return None;
    }
    let pudp = find_entry(cpu, mm, addr, Level::Pud)?;
    if !pudp.is_huge(cpu) {
        return None;
    }
    let _span = cpu.span("zap_huge_pud");
    pudp.lock().lock(cpu);
    let huge = pudp.is_huge(cpu);
    let size = machine.geometry.span(Level::Pud);
    let start = addr & !(size - 1);
    if huge {
        pudp.get_and_clear(cpu);
        tlb.remove_entry(start..start + size);
    }
    pudp.lock().unlock(cpu);
    huge.then_some(start..start + size)
}
