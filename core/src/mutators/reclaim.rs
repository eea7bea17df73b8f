//! Pages are taken from those who have them: `shrink_folio_list`, as `MADV_PAGEOUT` calls it, of pages that nobody has used lately. (The
//! kernel asks, and leaves those alone that somebody has.)
//!
//! # The order, for each folio
//!
//! 1. It is isolated: a reference, and off the LRU. It is locked, or left alone.
//! 2. Anonymous memory that is to be written out gets a slot, and is in the swap cache from now on, unless it may be pinned. (That
//!    look decides nothing: a pin may come next.) A large folio is split first ([`reclaim_large`](super)).
//! 3. All its mappings go ([`unmap`](super), with the flush put off), or it stays.
//! 4. Dirty contents are written out, after a flush: nobody may write to them by a translation that is stale.
//! 5. Its count is frozen at what reclaim and the swap cache have. Who has a reference makes that fail, and the folio stays in the
//!    cache.
//! 6. Whatever was put off is flushed, and only then the folios are free.
//!
//! # What happens when a walker comes
//!
//! - before 3 has cleared the entry: its pin makes 3 fail; its reference makes 5 fail;
//! - after that: its recheck fails. Its reference may make 5 fail all the same, and it drops it soon.
//!
//! # What happens when a fault comes
//!
//! Between 3 and 5 it finds the entry of the slot, and the folio in the cache. It takes a reference, and waits for the
//! folio's lock. Freezing fails, or it was too late, and reads the slot.

use super::reclaim_large::add_to_swap_or_split;
use super::unmap::{UnmapFor, try_to_unmap};
use crate::cpu::{Cpu, try_to_unmap_flush, try_to_unmap_flush_dirty};
use crate::folio::{
    Folio, PageFlags, Pfn, clear_page_flags, folio_mapped, folio_maybe_dma_pinned, folio_put,
    folio_ref_count_is, folio_ref_freeze, free_folio, set_page_flags, test_and_clear_page_flag,
};
use crate::lkmm::{atomic_add_unless, read_once, write_once};
use crate::step::Step;
use crate::swap::{folio_free_swap, folio_test_swapcache, remove_mapping};
use crate::sync::RmwOrder;
use arrayvec::ArrayVec;

/// How many folios one call takes, and has of them once they are split; more than any scenario reclaims at once.
const BATCH: usize = 8;

/// `folio_list`: what is still to be done.
type FolioList<'m> = ArrayVec<Folio<'m>, BATCH>;

/// `reclaim_folio_list`: isolates these pages' folios, shrinks the list, and puts back what stays. How many are free.
pub fn reclaim_pages(cpu: &Cpu<'_>, pages: &[Pfn]) -> u32 {
    let mut folios: ArrayVec<Folio<'_>, BATCH> = ArrayVec::new();
    folios.extend(pages.iter().filter_map(|&pfn| isolate(cpu, pfn)));
    let (kept, freed) = shrink_folio_list(cpu, &folios);
    for folio in kept {
        // folio_putback_lru
        set_page_flags(cpu, folio.head(), PageFlags::LRU);
        folio_put(cpu, folio);
    }
    freed
}

/// `isolate_lru_folios`, of one: a reference, unless it is free, and off the LRU, unless it is not on it.
pub(super) fn isolate<'m>(cpu: &Cpu<'m>, pfn: Pfn) -> Option<Folio<'m>> {
    let page = cpu.machine().page(pfn);
    let folio = Folio::of(page);
    if !folio.test(cpu, PageFlags::LRU)
        || !atomic_add_unless(cpu, page.refcount, 1, 0, RmwOrder::Full)
    {
        return None;
    }
    if !test_and_clear_page_flag(cpu, page, PageFlags::LRU) {
        folio_put(cpu, folio);
        return None;
    }
    Some(folio)
}

/// `shrink_folio_list`: the folios that stay, and how many do not.
fn shrink_folio_list<'m>(cpu: &Cpu<'m>, folios: &[Folio<'m>]) -> (ArrayVec<Folio<'m>, BATCH>, u32) {
    let _span = cpu.span("shrink_folio_list");
    let (mut kept, mut free) = (ArrayVec::new(), ArrayVec::<_, BATCH>::new());
    let mut list: FolioList<'m> = folios.iter().copied().collect();
    while !list.is_empty() {
        let folio = list.remove(0);
        if shrink_folio(cpu, folio, &mut list) {
            free.push(folio);
        } else {
            kept.push(folio);
        }
    }
    // ORDERING: whoever uses a translation that was there is done before the frame is anybody else's. Pairs with the section of
    // such a user. Without it: R54. Step `flush-before-free`.
    if cpu.does(Step::FlushBeforeFree) {
        try_to_unmap_flush(cpu);
    }
    let freed = free.len() as u32;
    for folio in free {
        free_folio(cpu, folio);
    }
    (kept, freed)
}

/// How a turn of the loop ends.
enum Turn {
    /// The folio is nobody's any more; its count is zero, and it is locked.
    Free,
    /// `activate_locked`.
    Activate,
    /// `keep_locked`.
    KeepLocked,
    /// `keep`: somebody else may have the lock.
    Keep,
}

/// One turn of its loop: whether the folio is nobody's any more.
fn shrink_folio<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, list: &mut FolioList<'m>) -> bool {
    if !folio.trylock(cpu) {
        return false;
    }
    let turn = shrink_locked(cpu, folio, list);
    if matches!(turn, Turn::Activate) && folio_test_swapcache(cpu, folio) && swap_full(cpu) {
        folio_free_swap(cpu, folio);
    }
    if !matches!(turn, Turn::Keep) {
        folio.unlock(cpu);
    }
    matches!(turn, Turn::Free)
}

/// With the folio locked.
fn shrink_locked<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, list: &mut FolioList<'m>) -> Turn {
    if folio.test(cpu, PageFlags::WRITEBACK) {
        return Turn::Activate;
    }
    let lazyfree = folio.test(cpu, PageFlags::LAZYFREE);
    if !lazyfree && !folio_test_swapcache(cpu, folio) {
        // Without it: a pinned page gets a slot for nothing. Step `swap-peeks-first`.
        if cpu.does(Step::SwapPeeksFirst) && folio_maybe_dma_pinned(cpu, folio) {
            return Turn::KeepLocked;
        }
        // The kernel takes from the list's end, and the tails are put there: the one that was put last is next.
        if !add_to_swap_or_split(cpu, folio, |tail| list.insert(0, tail)) {
            return Turn::Activate;
        }
    }
    if folio_mapped(cpu, folio) {
        try_to_unmap(cpu, folio, UnmapFor::Reclaim);
        if folio_mapped(cpu, folio) {
            return Turn::Activate;
        }
    }
    // After the unmapping, for the sake of a file system's private data.
    if folio_maybe_dma_pinned(cpu, folio) {
        return Turn::Activate;
    }
    // Of anonymous memory that is given up and dirty there is nothing to write out to.
    if folio.test(cpu, PageFlags::DIRTY) {
        try_to_unmap_flush_dirty(cpu);
        if let Some(turn) = pageout(cpu, folio) {
            return turn;
        }
    }
    free_unmapped(cpu, folio)
}

/// `pageout`, and what its caller does next: how the turn ends, if it does.
fn pageout(cpu: &Cpu<'_>, folio: Folio<'_>) -> Option<Turn> {
    let _span = cpu.span("pageout");
    // is_page_cache_freeable: the isolation's reference, and the cache's.
    if !folio_ref_count_is(cpu, folio, 2) {
        return Some(Turn::KeepLocked);
    }
    if !folio_test_swapcache(cpu, folio) {
        // No mapping (`folio_mapping`): an orphan.
        return Some(Turn::KeepLocked);
    }
    // folio_clear_dirty_for_io: a full barrier between the references and the contents.
    if !test_and_clear_page_flag(cpu, folio.head(), PageFlags::DIRTY) {
        return None;
    }
    swap_writepage(cpu, folio);
    if folio.test(cpu, PageFlags::WRITEBACK)
        || folio.test(cpu, PageFlags::DIRTY)
        || !folio.trylock(cpu)
    {
        return Some(Turn::Keep);
    }
    let again = folio.test(cpu, PageFlags::DIRTY) || folio.test(cpu, PageFlags::WRITEBACK);
    again.then_some(Turn::KeepLocked)
}

/// `swap_writepage`, to a compressed store in memory (`zswap_store`): written at once. Drops the folio's lock.
fn swap_writepage(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("swap_writepage");
    if folio_free_swap(cpu, folio) {
        folio.unlock(cpu);
        return;
    }
    let slot = read_once(cpu, folio.head().swap);
    let contents = read_once(cpu, folio.head().contents);
    let stored = cpu.machine().swap().slots[slot as usize].contents;
    write_once(cpu, stored, contents);
    set_page_flags(cpu, folio.head(), PageFlags::WRITEBACK);
    folio.unlock(cpu);
    // folio_end_writeback
    clear_page_flags(cpu, folio.head(), PageFlags::WRITEBACK);
}

/// What is unmapped and clean is free, if nobody has a reference.
fn free_unmapped(cpu: &Cpu<'_>, folio: Folio<'_>) -> Turn {
    let free = if folio.test(cpu, PageFlags::LAZYFREE) {
        let frozen = folio_ref_freeze(cpu, folio, 1);
        let was_frozen = frozen.is_some();
        if let Some(frozen) = frozen {
            frozen.keep(cpu);
        }
        was_frozen
    } else {
        folio_test_swapcache(cpu, folio) && remove_mapping(cpu, folio)
    };
    if free { Turn::Free } else { Turn::KeepLocked }
}

/// `mem_cgroup_swap_full`.
fn swap_full(cpu: &Cpu<'_>) -> bool {
    cpu.machine().swap().full
}
