//! The accessed and dirty bits, as aging and hardware change them: atomically, whatever others do to the entry.

use super::{Bits, Entry, EntryPtr};
use crate::cpu::Cpu;
use crate::lkmm::{clear_bit, read_once};
use crate::sync::{Rmw, RmwOrder, Word};

impl EntryPtr<'_> {
    /// `ptep_test_and_clear_young`, where nobody asks what it was: under the page-table lock.
    #[track_caller]
    pub fn test_and_clear_young(self, cpu: &Cpu<'_>) {
        if let Ok(slot) = self.slot(cpu) {
            clear_bit(cpu, slot, Entry::NONE.with(Bits::ACCESSED));
        }
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
        let mut used = entry.with(Bits::ACCESSED);
        if entry.is_writable() {
            used = used.with(Bits::DIRTY);
        }
        let set = Rmw::CompareExchange {
            expected: entry.into_word(),
            new: used.into_word(),
        };
        used == entry || slot.try_update(cpu, set, RmwOrder::Relaxed)
    }
}
