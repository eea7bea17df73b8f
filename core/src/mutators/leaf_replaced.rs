//! A file system takes a huge leaf of device memory back, and the next fault links a table where it was.
//!
//! What was there is present still, and is another thing: whoever has read the leaf has to ask, under the lock, whether it is one (K6).

use super::zap::{ZapDetails, zap_page_range_single};
use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::pgtable::{Level, find_entry, pte_alloc};

/// `unmap_mapping_pages`, of all that a leaf of the PUD level maps at `addr`; and the first part of a fault, a table in place of the leaf
/// (`pmd_alloc`): whether there was memory for one.
///
/// # Panics
/// If the tables above the leaf are not there.
pub fn replace_huge_pud(cpu: &Cpu<'_>, id: MmId, addr: u64) -> bool {
    let size = cpu.machine().geometry.span(Level::Pud);
    let start = addr & !(size - 1);
    zap_page_range_single(cpu, id, start..start + size, ZapDetails::NO_COPIES);
    let pudp = find_entry(cpu, cpu.machine().mm(id), addr, Level::Pud);
    pte_alloc(cpu, pudp.expect("the tables above the leaf"))
}
