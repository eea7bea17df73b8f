//! The page-table lock, taken together with the way to the entry that it guards.

use super::{Entry, EntryPtr, Level, find_entry, table_entry};
use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::step::Step;
use crate::types::Mm;

/// `pte_offset_map_lock`: the entry for `addr` in the table that `pmd` links, locked; `None` if the pmd has
/// changed by the time the lock is held.
pub fn pte_offset_map_lock<'m>(
    cpu: &Cpu<'m>,
    pmdp: EntryPtr<'m>,
    pmd: Entry,
    addr: u64,
) -> Option<EntryPtr<'m>> {
    if !pmd.access_permitted(false) || pmd.is_huge() {
        return None;
    }
    rcu_read_lock(cpu);
    let ptep = table_entry(cpu, pmd.pfn(), Level::Pte, addr);
    ptep.lock().lock(cpu);
    if cpu.does(Step::RereadUnderLock) && !pmdp.is(cpu, pmd) {
        pte_unmap_unlock(cpu, ptep);
        return None;
    }
    Some(ptep)
}

/// The entry for `addr`, by itself, locked: what a mutator of one PTE begins with, under a lock that keeps the levels
/// above in place. `None` where there is no table of PTEs. Given back by [`pte_unmap_unlock`].
#[track_caller]
pub fn find_locked_pte<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Option<EntryPtr<'m>> {
    let pmdp = find_entry(cpu, mm, addr, Level::Pmd)?;
    let pmd = pmdp.read_once(cpu);
    pte_offset_map_lock(cpu, pmdp, pmd, addr)
}

/// `pte_unmap_unlock`.
pub fn pte_unmap_unlock(cpu: &Cpu<'_>, ptep: EntryPtr<'_>) {
    ptep.lock().unlock(cpu);
    rcu_read_unlock(cpu);
}
