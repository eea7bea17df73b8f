//! Directories of huge pages in the lockless walk (powerpc's hugepd): `gup_huge_pd` and `gup_hugepte`.
//!
//! # The rules
//!
//! 1. An entry above the PTE level may link a directory: a table whose entries map huge pages of one size, each as a PTE would. The size
//!    is told by the entry, and is not that of any level.
//! 2. The walk goes along the directory as along a table of PTEs, in steps of that size, and the first and the last page may be wanted
//!    in part.
//! 3. A page is taken as that of any other leaf is: read once, pinned, and looked at again. Only its own entry is; that the directory is
//!    linked still, nobody asks, and nobody has to: it is freed after a grace period, as tables are, and its entries are cleared before.

use super::fast::{GoOn, Walk};
use crate::pgtable::{Entry, EntryPtr, Level, PAGE_SHIFT, hugepd_span, hugepte_offset};

/// `hugepte_addr_end`: where the huge page that `addr` is in ends, or `end` if that is nearer.
const fn hugepte_addr_end(addr: u64, end: u64, span: u64) -> u64 {
    let boundary = addr.wrapping_add(span) & !(span - 1);
    if boundary.wrapping_sub(1) < end.wrapping_sub(1) {
        boundary
    } else {
        end
    }
}

impl<'m> Walk<'_, 'm> {
    /// `gup_huge_pd`, of a directory that an entry of `level` links.
    pub(super) fn gup_huge_pd(
        &mut self,
        level: Level,
        directory: Entry,
        mut addr: u64,
        end: u64,
    ) -> GoOn {
        let cpu = self.cpu;
        let _span = cpu.span("gup_huge_pd");
        let span = hugepd_span(cpu);
        let mut ptep = hugepte_offset(cpu, directory, level, addr);
        loop {
            if !self.gup_hugepte(ptep, span, addr, end) {
                return false;
            }
            ptep = ptep.next();
            addr = hugepte_addr_end(addr, end, span);
            if addr == end {
                return true;
            }
        }
    }

    /// `gup_hugepte`.
    fn gup_hugepte(&mut self, ptep: EntryPtr<'m>, span: u64, addr: u64, end: u64) -> GoOn {
        let end = hugepte_addr_end(addr, end, span);
        let pte = ptep.read_once(self.cpu);
        if !self.permits(pte) {
            return false;
        }
        let first = pte.pfn().plus(((addr & (span - 1)) >> PAGE_SHIFT) as u32);
        self.take_leaf((pte, ptep), first, addr, end)
    }
}
