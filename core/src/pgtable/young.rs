//! The accessed and dirty bits, as aging and hardware change them: atomically, whatever others do to the entry.

use super::{Bits, Entry, EntryPtr};
use crate::cpu::Cpu;
use crate::lkmm::clear_bit;
use crate::sync::{Rmw, RmwOrder, Word};

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

    /// What hardware does with a leaf that it has read, to read or to `write` by it: one locked update sets the accessed bit, and
    /// the dirty bit, unless the entry has become another. Whether it was still this one.
    #[track_caller]
    pub fn use_by_hardware(self, cpu: &Cpu<'_>, entry: Entry, write: bool) -> bool {
        let Ok(slot) = self.slot(cpu) else {
            return false;
        };
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
}
