//! Page tables that are there when the CPUs start.

use super::{Area, Boot};
use crate::machine::MmId;
use crate::sync::{Atomic, Name};
use crate::types::{BlockLink, Entry, Level, Owner, Pfn};

impl Boot {
    /// Deposits a table for the huge mapping at `addr`, as a THP's fault does: it is a table, unlinked, its
    /// entries as given.
    pub fn deposit(&mut self, mm: MmId, addr: u64, entries: Entry) -> Pfn {
        let table = self.table(mm, Level::Pte, addr);
        for cell in self.page(table).table.entries.clone() {
            self.layout.set(cell, entries);
        }
        if self.machine.kernel.profile.deposit == crate::arch::Deposit::InTable {
            let life = self.page(table).table.life;
            self.layout.set_life(life, false);
        }
        let [newest, older] = self.machine.mms[mm.0 as usize].deposited;
        let before = self.layout.get_plain(newest);
        self.layout.set_plain(older, before);
        self.layout.set_plain(newest, BlockLink(Some(table)));
        table
    }

    /// The cell of `addr`'s entry at `level`, with all tables above it in place. At a folded level that is the entry above.
    pub fn tables_down_to(&mut self, mm: MmId, addr: u64, level: Level) -> Atomic<Entry> {
        let mut table = self.machine.mm(mm).pgd;
        let mut at = Level::Pgd;
        loop {
            let index = self.geometry().index(at, addr);
            let slot = self.page(table).table.entries[index];
            let below = self.next_real(at).filter(|&below| below <= level);
            let Some(below) = below else {
                return slot;
            };
            if self.layout.get(slot).is_none() {
                let new = self.table(mm, below, addr);
                self.layout.set(slot, Entry::table(new));
            }
            table = self.layout.get(slot).pfn();
            at = below;
        }
    }

    /// The table of PTEs that an area begins in.
    pub fn table_of(&mut self, area: Area) -> Pfn {
        self.tables_down_to(area.mm, area.start, Level::Pte);
        let link = self.tables_down_to(area.mm, area.start, Level::Pmd);
        self.layout.get(link).pfn()
    }

    /// The next level below that has tables of its own.
    pub(super) fn next_real(&self, level: Level) -> Option<Level> {
        let below = level.below()?;
        if self.geometry().is_folded(below) {
            self.next_real(below)
        } else {
            Some(below)
        }
    }

    /// A frame that is a table of `level`, its entries named after the addresses that they cover.
    pub(super) fn table(&mut self, mm: MmId, level: Level, addr: u64) -> Pfn {
        let pfn = self.frame();
        let page = self.page(pfn);
        let (life, owner, refcount) = (page.table.life, page.owner, page.refcount);
        let entries = page.table.entries.clone();
        self.layout.set_life(life, true);
        self.layout.set_plain(owner, Owner::Table);
        self.layout.set(refcount, 1);
        let template = match level {
            Level::Pgd => "mm{}.pgd[{}]",
            Level::P4d => "mm{}.p4d[{}]",
            Level::Pud => "mm{}.pud[{}]",
            Level::Pmd => "mm{}.pmd[{}]",
            Level::Pte => "mm{}.pte[{}]",
        };
        let shift = self.geometry().shift(level);
        let count = self.geometry().entries(level);
        let first = (addr >> shift) & !(count - 1);
        for (cell, n) in entries.into_iter().zip(first as u32..) {
            self.layout
                .rename(cell.id(), Name::new(template, [mm.0, n]));
        }
        pfn
    }
}
