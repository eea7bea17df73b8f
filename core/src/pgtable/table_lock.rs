//! The lock of a page table.

use crate::cpu::Cpu;
use crate::folio::Page;

/// `ptlock_ptr`: the lock lies in the table's descriptor, and dies with the table. To take it, or to drop it, when the
/// table was freed is a use after free.
#[derive(Clone, Copy, Debug)]
pub struct TableLock<'m> {
    table: &'m Page,
}

impl<'m> TableLock<'m> {
    /// The lock of the table in `table`.
    pub const fn of(table: &'m Page) -> Self {
        Self { table }
    }

    /// `spin_lock`.
    #[track_caller]
    pub fn lock(self, cpu: &Cpu<'_>) {
        self.table.table.life.touch(cpu);
        self.table.table.lock.lock(cpu);
    }

    /// `spin_unlock`.
    #[track_caller]
    pub fn unlock(self, cpu: &Cpu<'_>) {
        self.table.table.life.touch(cpu);
        self.table.table.lock.unlock(cpu);
    }
}
