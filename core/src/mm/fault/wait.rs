//! What a fault waits for: another entry.

use crate::cpu::Cpu;
use crate::pgtable::{Entry, EntryPtr};
use crate::sync::{LoadOrder, Until, Word};

/// Waits until the entry is another.
pub fn wait_for_change(cpu: &Cpu<'_>, ptr: EntryPtr<'_>, entry: Entry) {
    if let EntryPtr::InTable { table, index } = ptr {
        let slot = table.table.entries[index];
        let changed = Until::Differs(entry.into_word());
        slot.wait_until(cpu, changed, LoadOrder::Relaxed);
    }
}
