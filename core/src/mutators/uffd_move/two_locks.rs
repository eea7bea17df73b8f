//! The locks of two tables, which may be one.

use crate::cpu::Cpu;
use crate::pgtable::{EntryPtr, TableLock};
use crate::step::Step;

/// `double_pt_lock`: the locks of the tables that two entries are in.
pub(super) struct TwoLocks<'m> {
    first: TableLock<'m>,
    second: Option<TableLock<'m>>,
}

impl<'m> TwoLocks<'m> {
    /// Takes them, the one at the lower address first.
    pub(super) fn lock(cpu: &Cpu<'m>, one: EntryPtr<'m>, other: EntryPtr<'m>) -> Self {
        let table = |ptr: EntryPtr<'_>| ptr.table().map(|table| table.pfn.0);
        let (mut first, mut second) = (one, other);
        // Who moves the other way takes them in the same order. Without it: a deadlock. Step `move-lock-order`.
        if cpu.does(Step::MoveLockOrder) && table(first) > table(second) {
            std::mem::swap(&mut first, &mut second);
        }
        let two = table(one) != table(other);
        let locks = Self {
            first: first.lock(),
            second: two.then(|| second.lock()),
        };
        locks.first.lock(cpu);
        if let Some(second) = locks.second {
            second.lock(cpu);
        }
        locks
    }

    /// `double_pt_unlock`.
    pub(super) fn unlock(self, cpu: &Cpu<'_>) {
        self.first.unlock(cpu);
        if let Some(second) = self.second {
            second.unlock(cpu);
        }
    }
}
