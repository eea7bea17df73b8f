//! A slot of swap space, and how often it is used: the `swap_map`.
//!
//! A slot that nobody uses is free at once. (The kernel keeps such slots back for a while, marked as if the cache had them.)

use crate::cpu::Cpu;
use crate::lkmm::{read_once, read_once_has, read_once_is, write_once};
use crate::sync::Fault;
use crate::types::SwapUse;

/// Changes how a slot is used, under the area's lock. What it is then.
fn change(cpu: &Cpu<'_>, slot: u32, change: impl FnOnce(&mut SwapUse)) -> SwapUse {
    let swap = cpu.machine().swap();
    let cell = swap.slots[slot as usize].used;
    swap.lock.lock(cpu);
    let mut used = read_once(cpu, cell);
    change(&mut used);
    write_once(cpu, cell, used);
    swap.lock.unlock(cpu);
    used
}

/// `folio_alloc_swap`: a free slot, which the swap cache has from now on.
pub(super) fn folio_alloc_swap(cpu: &Cpu<'_>) -> Option<u32> {
    let _span = cpu.span("folio_alloc_swap");
    let swap = cpu.machine().swap_space()?;
    swap.lock.lock(cpu);
    let free = |slot: &crate::types::SwapSlot| read_once_is(cpu, slot.used, SwapUse::FREE);
    let found = swap.slots.iter().position(free);
    if let Some(slot) = found {
        write_once(cpu, swap.slots[slot].used, SwapUse::CACHE_ONLY);
    }
    swap.lock.unlock(cpu);
    found.map(|slot| slot as u32)
}

/// `swap_duplicate`: one more entry names the slot. Whether it is a slot that somebody uses.
pub fn swap_duplicate(cpu: &Cpu<'_>, slot: u32) -> bool {
    let _span = cpu.span("swap_duplicate");
    let mut was_used = false;
    change(cpu, slot, |used| {
        was_used = *used != SwapUse::FREE;
        used.entries += u32::from(was_used);
    });
    was_used
}

/// `swap_free`: one entry less. How the slot is used then.
pub fn swap_free(cpu: &Cpu<'_>, slot: u32) -> SwapUse {
    let _span = cpu.span("swap_free");
    let cell = cpu.machine().swap().slots[slot as usize].used.id();
    change(cpu, slot, |used| {
        // swap_info_get, "unused swap offset"
        if used.entries == 0 {
            cpu.fault(Fault::Bug {
                what: "an entry gives up a slot of swap space that no entry names",
                cell: Some(cell),
            });
        }
        used.entries -= 1;
    })
}

/// `swapcache_prepare`: the cache is going to have the slot. Not if it has, or if nobody uses the slot any more.
pub(super) fn swapcache_prepare(cpu: &Cpu<'_>, slot: u32) -> bool {
    let mut prepared = false;
    change(cpu, slot, |used| {
        prepared = used.entries > 0 && !used.has_cache;
        used.has_cache |= prepared;
    });
    prepared
}

/// `put_swap_folio`: the cache has it no more.
pub(super) fn put_swap_folio(cpu: &Cpu<'_>, slot: u32) {
    change(cpu, slot, |used| used.has_cache = false);
}

/// `SWAP_HAS_CACHE`, by one look without the lock: whether the cache has the slot, or is about to have it or to lose it.
pub fn swap_has_cache(cpu: &Cpu<'_>, slot: u32) -> bool {
    let used = cpu.machine().swap().slots[slot as usize].used;
    read_once_has(cpu, used, SwapUse::CACHE_ONLY)
}

/// `swap_swapcount`: how many entries name the slot.
pub(super) fn swap_swapcount(cpu: &Cpu<'_>, slot: u32) -> u32 {
    let swap = cpu.machine().swap();
    swap.lock.lock(cpu);
    let used = read_once(cpu, swap.slots[slot as usize].used);
    swap.lock.unlock(cpu);
    used.entries
}
