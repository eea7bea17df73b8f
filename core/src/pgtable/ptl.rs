//! The page-table lock, taken together with the way to the entry that it guards.

use super::{Entry, EntryPtr, Level, table_entry};
use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};

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
    if !pmdp.is_still(cpu, pmd) {
        pte_unmap_unlock(cpu, ptep);
        return None;
    }
    Some(ptep)
}

/// `pte_unmap_unlock`.
pub fn pte_unmap_unlock(cpu: &Cpu<'_>, ptep: EntryPtr<'_>) {
    ptep.lock().unlock(cpu);
    rcu_read_unlock(cpu);
}
