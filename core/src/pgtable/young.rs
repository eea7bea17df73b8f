//! The accessed and dirty bits, as aging and hardware change them: atomically, whatever others do to the entry.

use super::{Bits, Entry, EntryPtr};
use crate::cpu::Cpu;
use crate::lkmm::{clear_bit, read_once, read_once_dereferenced};
use crate::sync::{Atomic, Rmw, RmwOrder, Word};

impl EntryPtr<'_> {
    /// `ptep_test_and_clear_young`, where nobody asks what it was: under the page-table lock.
    #[track_caller]
    pub fn test_and_clear_young(self, cpu: &Cpu<'_>) {
        if let Ok(slot) = self.slot(cpu) {
            clear_bit(cpu, slot, Entry::NONE.with(Bits::ACCESSED));
        }
    }

    /// Whether the entry is still `entry`, accessed and dirty bits aside.
    #[track_caller]
    pub fn is_but_for_marks(self, cpu: &Cpu<'_>, entry: Entry) -> bool {
        let marks = Bits::ACCESSED.union(Bits::DIRTY);
        self.get(cpu).without(marks) == entry.without(marks)
    }

    /// What hardware does on its way through a leaf: one locked update sets the accessed bit, and the dirty bit where it
    /// may write, unless the entry has become another since it was read. Whether the leaf was there.
    #[track_caller]
    pub fn use_by_hardware(self, cpu: &Cpu<'_>) -> bool {
        let Ok(slot) = self.slot(cpu) else {
            return false;
        };
        let entry = read_once(cpu, slot);
        if !entry.access_permitted(false) {
            return false;
        }
        use_entry(cpu, slot, entry, entry.is_writable())
    }

    /// The translation that hardware makes of a leaf, to read or to `write` by: the entry, unless that is not permitted, or it
    /// has become another since it was read. Then there is a fault.
    #[track_caller]
    pub fn translate(self, cpu: &Cpu<'_>, write: bool) -> Option<Entry> {
        let slot = self.slot(cpu).ok()?;
        // ORDERING: the access needs the entry's frame: an address dependency. Pairs with whoever filled the page before it
        // mapped it. No step: hardware has no other way.
        let entry = read_once_dereferenced(cpu, slot);
        let permitted = entry.access_permitted(write) && use_entry(cpu, slot, entry, write);
        permitted.then_some(entry)
    }
}

/// Sets what hardware sets in an entry that it uses. Whether it was still this one.
#[track_caller]
fn use_entry(cpu: &Cpu<'_>, slot: Atomic<Entry>, entry: Entry, write: bool) -> bool {
    let mut used = entry.with(Bits::ACCESSED);
    if write {
        used = used.with(Bits::DIRTY);
    }
    let set = Rmw::CompareExchange {
        expected: entry.into_word(),
        new: used.into_word(),
    };
    used == entry || slot.try_update(cpu, set, RmwOrder::Relaxed)
}
