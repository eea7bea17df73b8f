//! What a fault waits for: a folio's lock, and another entry.

use crate::cpu::Cpu;
use crate::folio::{Folio, PageFlags};
use crate::pgtable::{Entry, EntryPtr};
use crate::sync::{LoadOrder, Until, Word};

/// `folio_lock`: as often as it takes, until nobody else has it.
pub fn folio_lock(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let unlocked = Until::AllClear(PageFlags::LOCKED.into_word());
    // Each turn but the last saw somebody else get the lock first.
    while !folio.trylock(cpu) {
        let flags = folio.head().flags;
        flags.wait_until(cpu, unlocked, LoadOrder::Relaxed);
    }
}

/// Waits until the entry is another.
pub fn wait_for_change(cpu: &Cpu<'_>, ptr: EntryPtr<'_>, entry: Entry) {
    if let EntryPtr::InTable { table, index } = ptr {
        let slot = table.table.entries[index];
        let changed = Until::Differs(entry.into_word());
        slot.wait_until(cpu, changed, LoadOrder::Relaxed);
    }
}
