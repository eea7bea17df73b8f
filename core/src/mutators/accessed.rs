//! Hardware marks an entry that it uses: accessed, and dirty if it writes.
//!
//! No lock is taken, and nobody is told. The entry maps the same page before and after; but it is another word, and whoever
//! compares it with the one that he read finds it changed. To the walker that is a change like any other: it gives the
//! page back, and slow GUP takes it under the lock, where the bits do not matter (R55).

use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::mm::Mm;
use crate::pgtable::{Bits, EntryPtr, Level, find_entry, table_entry};

/// User space uses `addr`, and hardware marks that in the leaf, a PTE or a huge pmd. Whether it did: not if the entry does not allow
/// such a use, nor if it bears the marks already.
///
/// The caller's user space has the mm, so that the tables stay.
pub fn hardware_marks(cpu: &Cpu<'_>, mm: MmId, addr: u64, write: bool) -> bool {
    let _span = cpu.span("hardware");
    let Some(leaf) = leaf_of(cpu, cpu.machine().mm(mm), addr) else {
        return false;
    };
    let mut marks = Bits::ACCESSED;
    marks.set(Bits::DIRTY, write);
    // Each turn but the last saw somebody else change the entry.
    loop {
        let entry = leaf.get(cpu);
        if !entry.access_permitted(write) || entry.bits().contains(marks) {
            return false;
        }
        if leaf.replace(cpu, entry, entry.with(marks)) {
            return true;
        }
    }
}

/// The leaf for `addr` where hardware finds it.
fn leaf_of<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Option<EntryPtr<'m>> {
    let pmdp = find_entry(cpu, mm, addr, Level::Pmd)?;
    let pmd = pmdp.read_once(cpu);
    if !pmd.access_permitted(false) {
        return None;
    }
    if pmd.is_huge() {
        return Some(pmdp);
    }
    Some(table_entry(cpu, pmd.pfn(), Level::Pte, addr))
}
