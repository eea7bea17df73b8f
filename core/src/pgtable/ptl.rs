//! The way to a PTE, with and without the lock of the table that it is in.
//!
//! # What keeps the table there
//!
//! Whoever maps a table (`pte_offset_map` and its kin) is an RCU reader until it is unmapped: a table that was unlinked
//! is not freed meanwhile, where tables go by RCU. That the table is still *linked* is another question: it is asked again
//! once the lock is held, and if the answer is no, everything begins anew, with the pmd as it is now.

use super::{Entry, EntryPtr, Level, find_entry, table_entry};
use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::types::Mm;

/// `__pte_offset_map`, and since v6.14 `pte_offset_map_rw_nolock`: the entry for `addr` in the table that `pmdp` links now, not
/// locked, and the pmd that said so. `None` if there is no table.
pub fn pte_offset_map_rw_nolock<'m>(
    cpu: &Cpu<'m>,
    pmdp: EntryPtr<'m>,
    addr: u64,
) -> Option<(EntryPtr<'m>, Entry)> {
    rcu_read_lock(cpu);
    let pmd = pmdp.read_once(cpu);
    if !pmd.access_permitted(false) || pmd.is_huge() {
        rcu_read_unlock(cpu);
        return None;
    }
    Some((table_entry(cpu, pmd.pfn(), Level::Pte, addr), pmd))
}

/// `pte_offset_map_nolock`: the entry for `addr`, not locked. Whoever locks it later knows nothing of the pmd.
pub fn pte_offset_map_nolock<'m>(
    cpu: &Cpu<'m>,
    pmdp: EntryPtr<'m>,
    addr: u64,
) -> Option<EntryPtr<'m>> {
    pte_offset_map_rw_nolock(cpu, pmdp, addr).map(|(ptep, _)| ptep)
}

/// `pte_offset_map_lock`: the entry for `addr`, in a table that is linked and locked; `None` if there is no table.
pub fn pte_offset_map_lock<'m>(
    cpu: &Cpu<'m>,
    pmdp: EntryPtr<'m>,
    addr: u64,
) -> Option<EntryPtr<'m>> {
    loop {
        let (ptep, pmd) = pte_offset_map_rw_nolock(cpu, pmdp, addr)?;
        ptep.lock().lock(cpu);
        if pmdp.is_still(cpu, pmd) {
            return Some(ptep);
        }
        pte_unmap_unlock(cpu, ptep);
    }
}

/// `pte_unmap`.
pub fn pte_unmap(cpu: &Cpu<'_>) {
    rcu_read_unlock(cpu);
}

/// The entry for `addr`, by itself, locked: what a mutator of one PTE begins with, under a lock that keeps the levels
/// above in place. `None` where there is no table of PTEs. Given back by [`pte_unmap_unlock`].
#[track_caller]
pub fn find_locked_pte<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Option<EntryPtr<'m>> {
    let pmdp = find_entry(cpu, mm, addr, Level::Pmd)?;
    pte_offset_map_lock(cpu, pmdp, addr)
}

/// `pte_unmap_unlock`.
pub fn pte_unmap_unlock(cpu: &Cpu<'_>, ptep: EntryPtr<'_>) {
    ptep.lock().unlock(cpu);
    pte_unmap(cpu);
}
