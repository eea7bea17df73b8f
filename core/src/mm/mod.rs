//! Address spaces: the mm, its areas, and the faults that fill them.
//!
//! | file | noun |
//! | --- | --- |
//! | `fault` | a page fault |
//! | `gather` | what an unmapping collects and frees at the end |

mod fault;
mod gather;

pub use crate::types::{Backing, Mm, VmFlags, Vma};
pub use fault::{FaultFlags, VmFault, handle_mm_fault};
pub use gather::MmuGather;

use crate::cpu::Cpu;
use crate::folio::{BlockLink, Page};
use crate::lkmm::{read_once, write_once};
use crate::sync::LockMode;

impl Mm {
    /// `mmap_read_lock`.
    #[track_caller]
    pub fn read_lock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.lock(cpu, LockMode::Shared);
    }

    /// `mmap_read_unlock`.
    #[track_caller]
    pub fn read_unlock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.unlock(cpu, LockMode::Shared);
    }

    /// `mmap_write_lock`.
    #[track_caller]
    pub fn write_lock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.lock(cpu, LockMode::Exclusive);
    }

    /// `mmap_write_unlock`.
    #[track_caller]
    pub fn write_unlock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.unlock(cpu, LockMode::Exclusive);
    }

    /// `mm_set_has_pinned_flag`: the store is spared where the flag is set already.
    pub fn set_has_pinned(&self, cpu: &Cpu<'_>) {
        if !read_once(cpu, self.has_pinned) {
            write_once(cpu, self.has_pinned, true);
        }
    }

    /// `vma_lookup`, under the mmap lock.
    pub fn vma_lookup(&self, cpu: &Cpu<'_>, addr: u64) -> Option<&Vma> {
        self.vmas
            .iter()
            .find(|vma| vma.contains(addr) && vma.attached.read(cpu))
    }

    /// `pgtable_trans_huge_deposit`, under the pmd lock.
    ///
    /// # Panics
    /// If more tables are deposited than the model has room for.
    pub fn deposit(&self, cpu: &Cpu<'_>, table: &Page) {
        let _span = cpu.span("pgtable_trans_huge_deposit");
        if cpu.machine().kernel.profile.deposit == crate::arch::Deposit::InTable {
            // The list's links overwrite entries: it is no table any more.
            table.table.life.free(cpu);
        }
        let [first, second] = self.deposited;
        let before = first.read(cpu);
        if before.0.is_some() {
            let full = second.read(cpu).0.is_some();
            assert!(!full, "more tables deposited than the model has room for");
            second.write(cpu, before);
        }
        first.write(cpu, BlockLink(Some(table.pfn)));
    }

    /// `pgtable_trans_huge_withdraw`, under the pmd lock: the table deposited last, its entries
    /// none. (The kernel calls its order first in, first out; it is not.)
    pub fn withdraw<'m>(&self, cpu: &Cpu<'m>) -> Option<&'m Page> {
        let _span = cpu.span("pgtable_trans_huge_withdraw");
        let [first, second] = self.deposited;
        let table = cpu.machine().page(first.read(cpu).0?);
        first.write(cpu, second.read(cpu));
        second.write(cpu, BlockLink(None));
        if cpu.machine().kernel.profile.deposit == crate::arch::Deposit::InTable {
            table.table.life.revive(cpu);
        }
        Some(table)
    }
}
