//! The swap cache: from a slot to the folio that is, or was, or will be there.

use super::slot::{folio_alloc_swap, put_swap_folio, swap_free, swap_swapcount, swapcache_prepare};
use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::filemap::{Cache, filemap_get_entry};
use crate::folio::{
    Folio, Owner, PageFlags, alloc_folio, clear_page_flags, folio_mapped, folio_mark_dirty,
    folio_put, folio_ref_add, folio_ref_freeze, set_page_flags,
};
use crate::lkmm::{read_once, write_once};
use crate::step::Step;
use crate::types::{Cached, SwapSlot, SwapUse};

fn slot_of<'m>(cpu: &Cpu<'m>, slot: u32) -> &'m SwapSlot {
    &cpu.machine().swap().slots[slot as usize]
}

/// `xa_lock_irq`.
fn lock_cache(cpu: &Cpu<'_>) {
    local_irq_save(cpu);
    cpu.machine().swap().cache_lock.lock(cpu);
}

fn unlock_cache(cpu: &Cpu<'_>) {
    cpu.machine().swap().cache_lock.unlock(cpu);
    local_irq_restore(cpu);
}

/// `add_to_swap`: a slot for a locked folio, which is in the swap cache from now on, and dirty, so that it will be written
/// out. Whether there was a slot.
pub fn add_to_swap(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("add_to_swap");
    let Some(slot) = folio_alloc_swap(cpu) else {
        return false;
    };
    add_to_swap_cache(cpu, folio, slot);
    folio_mark_dirty(cpu, folio.head());
    true
}

/// `add_to_swap_cache`: the cache's reference and the mark first, then the folio can be found.
fn add_to_swap_cache(cpu: &Cpu<'_>, folio: Folio<'_>, slot: u32) {
    folio_ref_add(cpu, folio, 1);
    set_page_flags(cpu, folio.head(), PageFlags::SWAP_CACHE);
    write_once(cpu, folio.head().swap, slot);
    lock_cache(cpu);
    let cached = Cached(Some(folio.head().pfn));
    write_once(cpu, slot_of(cpu, slot).cached, cached);
    unlock_cache(cpu);
}

/// `__delete_from_swap_cache`, under the cache's lock.
fn delete_locked(cpu: &Cpu<'_>, folio: Folio<'_>, slot: u32) {
    write_once(cpu, slot_of(cpu, slot).cached, Cached(None));
    clear_page_flags(cpu, folio.head(), PageFlags::SWAP_CACHE);
}

/// `delete_from_swap_cache`, of a locked folio.
pub fn delete_from_swap_cache(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let slot = read_once(cpu, folio.head().swap);
    lock_cache(cpu);
    delete_locked(cpu, folio, slot);
    unlock_cache(cpu);
    put_swap_folio(cpu, slot);
    folio_ref_add(cpu, folio, -1);
}

/// `folio_free_swap`: takes a locked folio out of the swap cache, if no entry names its slot. Whether it did.
pub fn folio_free_swap(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("folio_free_swap");
    if !folio.test(cpu, PageFlags::SWAP_CACHE) || folio.test(cpu, PageFlags::WRITEBACK) {
        return false;
    }
    let slot = read_once(cpu, folio.head().swap);
    if swap_swapcount(cpu, slot) > 0 {
        return false;
    }
    delete_from_swap_cache(cpu, folio);
    set_page_flags(cpu, folio.head(), PageFlags::DIRTY);
    true
}

/// `free_swap_cache`, of a page that is about to be dropped: what nobody maps any more leaves the cache, if its lock is to be
/// had.
pub fn free_swap_cache(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let unmapped = folio.test(cpu, PageFlags::SWAP_CACHE) && !folio_mapped(cpu, folio);
    if unmapped && folio.trylock(cpu) {
        folio_free_swap(cpu, folio);
        folio.unlock(cpu);
    }
}

/// `free_swap_and_cache`: an entry that named the slot is gone. The last one takes the folio out of the cache as well, if
/// it is mapped nowhere, or swap space is scarce, and if its lock is to be had.
pub fn free_swap_and_cache(cpu: &Cpu<'_>, slot: u32) {
    let _span = cpu.span("free_swap_and_cache");
    if swap_free(cpu, slot) != SwapUse::CACHE_ONLY {
        return;
    }
    // __try_to_reclaim_swap
    let Some(folio) = filemap_get_folio(cpu, slot) else {
        return;
    };
    if folio.trylock(cpu) {
        // TTRS_UNMAPPED | TTRS_FULL
        if !folio_mapped(cpu, folio) || cpu.machine().swap().full {
            folio_free_swap(cpu, folio);
        }
        folio.unlock(cpu);
    }
    folio_put(cpu, folio);
}

/// `filemap_get_folio` of the swap cache: what it has for a slot, with a reference, found without its lock.
pub fn filemap_get_folio<'m>(cpu: &Cpu<'m>, slot: u32) -> Option<Folio<'m>> {
    let _span = cpu.span("filemap_get_folio");
    let cache = Cache {
        lock: cpu.machine().swap().cache_lock,
        place: slot_of(cpu, slot).cached,
    };
    filemap_get_entry(cpu, cache)
}

/// Why a slot's folio is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFolio {
    /// There is no memory.
    Memory,
    /// Nobody uses the slot any more, or somebody else is about to put a folio into the cache, or has just taken one out. (For
    /// the latter two the kernel sleeps, and looks again; here whoever faults does.)
    Changed,
}

/// `folio_test_swapcache`; on a machine without swap space it is no question.
#[track_caller]
pub fn folio_test_swapcache(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    cpu.machine().swap_space().is_some() && folio.test(cpu, PageFlags::SWAP_CACHE)
}

/// `read_swap_cache_async`: the folio that the cache has for a slot, or a new one, read from there and put into the cache.
/// With a reference, and unlocked.
///
/// # Errors
/// [`NoFolio`]: why there is none.
pub fn read_swap_cache_async<'m>(cpu: &Cpu<'m>, slot: u32) -> Result<Folio<'m>, NoFolio> {
    let _span = cpu.span("read_swap_cache_async");
    if let Some(folio) = filemap_get_folio(cpu, slot) {
        return Ok(folio);
    }
    let folio = alloc_folio(cpu, 0, Owner::Us).ok_or(NoFolio::Memory)?;
    if !swapcache_prepare(cpu, slot) {
        folio_put(cpu, folio);
        return Err(NoFolio::Changed);
    }
    // __folio_set_locked, of a folio that nobody else knows.
    set_page_flags(cpu, folio.head(), PageFlags::LOCKED);
    add_to_swap_cache(cpu, folio, slot);
    set_page_flags(cpu, folio.head(), PageFlags::LRU);
    // swap_readpage, which unlocks at its end.
    let contents = read_once(cpu, slot_of(cpu, slot).contents);
    write_once(cpu, folio.head().contents, contents);
    folio.unlock(cpu);
    Ok(folio)
}

/// `__remove_mapping`, of a locked folio in the swap cache of which the caller and the cache have the only references: it is
/// in the cache no more, and its count is zero. Not if somebody else has a reference, or it was written to meanwhile.
pub fn remove_mapping(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("__remove_mapping");
    let slot = read_once(cpu, folio.head().swap);
    lock_cache(cpu);
    let Some(frozen) = folio_ref_freeze(cpu, folio, 2) else {
        unlock_cache(cpu);
        return false;
    };
    // ORDERING: the freeze's, which is full: whoever marked the folio dirty did so before it dropped its reference, and without
    // that the count would not have been frozen. Pairs with put-ordered (P27). Without the look: R08. Step
    // `remove-checks-dirty`.
    if cpu.does(Step::RemoveChecksDirty) && folio.test(cpu, PageFlags::DIRTY) {
        frozen.unfreeze(cpu, 2);
        unlock_cache(cpu);
        return false;
    }
    frozen.keep(cpu);
    delete_locked(cpu, folio, slot);
    unlock_cache(cpu);
    put_swap_folio(cpu, slot);
    true
}

/// What migration does with the cache (`folio_migrate_mapping`): `new` in place of `old`, whose count is frozen at the caller's
/// reference and the cache's. Whether it could be frozen.
pub fn replace_in_swap_cache<'m>(
    cpu: &Cpu<'m>,
    old: Folio<'m>,
    new: Folio<'m>,
    moved: impl FnOnce(),
) -> bool {
    let slot = read_once(cpu, old.head().swap);
    lock_cache(cpu);
    let Some(frozen) = folio_ref_freeze(cpu, old, 2) else {
        unlock_cache(cpu);
        return false;
    };
    moved();
    folio_ref_add(cpu, new, 1);
    set_page_flags(cpu, new.head(), PageFlags::SWAP_CACHE);
    write_once(cpu, new.head().swap, slot);
    if old.test(cpu, PageFlags::DIRTY) {
        clear_page_flags(cpu, old.head(), PageFlags::DIRTY);
        set_page_flags(cpu, new.head(), PageFlags::DIRTY);
    }
    let cached = Cached(Some(new.head().pfn));
    write_once(cpu, slot_of(cpu, slot).cached, cached);
    frozen.unfreeze(cpu, 1);
    unlock_cache(cpu);
    true
}
