//! Tables deposited for huge mappings: what a split takes its table from.

use super::Mm;
use crate::arch::Deposit;
use crate::cpu::Cpu;
use crate::folio::{BlockLink, Page};

impl Mm {
    /// `pgtable_trans_huge_deposit`, under the pmd lock.
    ///
    /// # Panics
    /// If more tables are deposited than the model has room for.
    pub fn deposit(&self, cpu: &Cpu<'_>, table: &Page) {
        let _span = cpu.span("pgtable_trans_huge_deposit");
        if cpu.machine().kernel.profile.deposit == Deposit::InTable {
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
        if cpu.machine().kernel.profile.deposit == Deposit::InTable {
            table.table.life.revive(cpu);
        }
        Some(table)
    }
}
