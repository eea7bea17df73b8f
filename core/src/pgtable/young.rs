//! The accessed bit, as aging takes it away: atomically, whatever others do to the entry.

use super::{Bits, Entry, EntryPtr};
use crate::cpu::Cpu;
use crate::lkmm::clear_bit;

impl EntryPtr<'_> {
    /// `ptep_test_and_clear_young`, where nobody asks what it was: under the page-table lock.
    #[track_caller]
    pub fn test_and_clear_young(self, cpu: &Cpu<'_>) {
        if let Ok(slot) = self.slot(cpu) {
            clear_bit(cpu, slot, Entry::NONE.with(Bits::ACCESSED));
        }
    }
}
