//! An entry is cleared, and nobody uses it any more: `ptep_clear_flush`.

use super::{Entry, EntryPtr, PAGE_SIZE};
use crate::cpu::{Cpu, flush_tlb_range, pte_accessible};
use crate::types::Mm;

/// `ptep_clear_flush`, under the lock: what was there.
///
/// Nothing is flushed that hardware could not use, a prot-none entry, unless somebody's flush of the mm is pending
/// (`pte_accessible`), whom a walker may have come before.
///
/// What it orders is what the clear and the flush do, as the profile has them: steps `clear-barrier`, `flush-barrier`.
///
/// # Panics
/// On a walker's own copy: only a table can be changed.
#[track_caller]
pub fn ptep_clear_flush(cpu: &Cpu<'_>, mm: &Mm, addr: u64, ptep: EntryPtr<'_>) -> Entry {
    let pte = ptep.get_and_clear(cpu);
    if pte_accessible(cpu, mm, pte) {
        flush_tlb_range(cpu, mm, addr..addr + PAGE_SIZE);
    }
    pte
}
