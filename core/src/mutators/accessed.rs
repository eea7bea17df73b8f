//! Hardware marks an entry that it uses: accessed, and dirty if it writes.
//!
//! No lock is taken, and nobody is told. The entry maps the same page before and after; but it is another word, and whoever
//! compares it with the one that he read finds it changed. To the walker that is a change like any other: it gives the
//! page back, and slow GUP takes it under the lock, where the bits do not matter (R55).

use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::pgtable::{Bits, Level, find_entry};

/// User space uses `addr`, which is mapped by a PTE, and hardware marks that. Whether it did: not if the entry does not allow
/// such a use, nor if it bears the marks already.
///
/// The caller's user space has the mm, so that the tables stay.
pub fn hardware_marks(cpu: &Cpu<'_>, mm: MmId, addr: u64, write: bool) -> bool {
    let _span = cpu.span("hardware");
    let Some(ptep) = find_entry(cpu, cpu.machine().mm(mm), addr, Level::Pte) else {
        return false;
    };
    let mut marks = Bits::ACCESSED;
    marks.set(Bits::DIRTY, write);
    // Each turn but the last saw somebody else change the entry.
    loop {
        let entry = ptep.get(cpu);
        if !entry.access_permitted(write) || entry.bits().contains(marks) {
            return false;
        }
        if ptep.replace(cpu, entry, entry.with(marks)) {
            return true;
        }
    }
}
