//! The entry of a page of hugetlb's: `hugetlb_walk`.

use super::{EntryPtr, Level, find_entry, hugepd_span, hugepte_offset};
use crate::cpu::Cpu;
use crate::types::Mm;

/// `hugetlb_walk`, `huge_pte_offset`: the entry for `addr`, in a directory if there is one, and what it spans; for those who hold a lock
/// that keeps the levels above in place.
#[track_caller]
pub fn hugetlb_walk<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Option<(EntryPtr<'m>, u64)> {
    let machine = cpu.machine();
    let (geometry, size) = (&machine.geometry, machine.hstate);
    // A machine without directories is spared the look for one.
    if machine.kernel.profile.hugepd_order.is_some() {
        let levels = Level::ALL.into_iter().filter(|&level| level <= size);
        for level in levels.filter(|&level| !geometry.is_folded(level)) {
            let link = find_entry(cpu, mm, addr, level)?.get(cpu);
            if link.is_hugepd() {
                return Some((hugepte_offset(cpu, link, level, addr), hugepd_span(cpu)));
            }
        }
    }
    Some((find_entry(cpu, mm, addr, size)?, geometry.span(size)))
}
