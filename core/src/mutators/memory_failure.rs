//! Memory fails under a page: `memory_failure`.
//!
//! # The order
//!
//! 1. The page is marked as poisoned.
//! 2. A reference is taken, unless the count is zero: of a page that is on the LRU, or was when it was looked at. It is never
//!    given back: nobody is to have this memory any more.
//! 3. *In use.* It is locked, and all its mappings become entries that say so, which a later fault ends at with an error. Nobody is
//!    asked whether the page is pinned. Not so in the swap cache: there the mappings become entries of its slot, as reclaim has it, and
//!    a page that may be pinned keeps them. Then it is taken off the LRU; and out of the swap cache, if swap space has its contents.
//!    If not, it stays in the cache, and says that what is in it is worth nothing.
//! 4. *Free.* It is taken off the allocator's list, under the zone's lock, and *then* gets a reference, so that nobody is given it.
//!    If it was not on the list by then, somebody allocated it: everything again, once.
//!
//! # What happens when a walker comes
//!
//! - To a page in use: a pin from before 3 survives, and its owner meets the failure when he uses the page. Whoever comes later finds
//!   the entry changed at his recheck (P19), and slow GUP gets an error from the fault.
//! - To a free page, with an old entry: its reference is refused while the count is zero (P11). After 4 it gets one, of a page that
//!   nobody uses; its recheck gives it back.
//!
//! # What happens when the last reference is dropped
//!
//! The count is zero by then, and 2 takes no reference: a page that is being freed has nobody any more. It stays off the allocator's
//! list, because it is marked.

use super::longterm::lru_add_drain_all;
use super::unmap::{UnmapFor, try_to_unmap};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Mapping, Page, PageFlags, Pfn, clear_page_flags, folio_get, folio_lock, folio_mapped,
    folio_put, folio_ref_count_is, folio_ref_count_is_below, folio_wait_writeback, page_folio,
    page_is_in_folio, set_page_flags, take_page_off_buddy, test_and_clear_page_flag,
};
use crate::lkmm::{atomic_add, atomic_add_unless, read_once_is};
use crate::step::Step;
use crate::swap::{delete_from_swap_cache, folio_test_swapcache};
use crate::sync::{Rmw, RmwOrder, Word};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poisoned {
    /// `MF_RECOVERED`, of a free page.
    TakenOff,
    /// `MF_RECOVERED`, of a page in use: it is on no list. It is mapped nowhere, unless somebody had isolated it when its mappings
    /// were to go: then nobody unmaps it (`hwpoison_user_mappings` asks for `PG_lru`), and it passes for what it was.
    Recovered,
    /// `MF_DELAYED`: the only copy of its contents is lost, and it stays in the swap cache to tell of that.
    Delayed,
    /// `MF_FAILED`, or `MF_IGNORED`, of a page in use: it could not be unmapped, or somebody has a reference of what was in the swap
    /// cache, or had isolated it.
    Failed,
    /// `MF_IGNORED`, or `MF_FAILED`: neither free nor in use, as often as it was looked at.
    Ignored,
    /// `-EHWPOISON`: it was known.
    Known,
}

impl Poisoned {
    /// Whether `memory_failure` keeps a reference of the page, for ever.
    pub const fn keeps_page(self) -> bool {
        matches!(
            self,
            Self::TakenOff | Self::Recovered | Self::Delayed | Self::Failed
        )
    }
}

/// `memory_failure`, of the small page in `pfn`. `mf_mutex` is not modelled: memory fails once.
pub fn memory_failure(cpu: &Cpu<'_>, pfn: Pfn) -> Poisoned {
    let _span = cpu.span("memory_failure");
    let page = cpu.machine().page(pfn);
    let mut retry = true;
    loop {
        // TestSetPageHWPoison
        let set = Rmw::OrIfClear(PageFlags::HWPOISON.into_word());
        if !page.flags.try_update(cpu, set, RmwOrder::Full) {
            return Poisoned::Known;
        }
        match get_hwpoison_page(cpu, page) {
            Got::Reference => return in_use(cpu, Folio::of(page)),
            Got::Neither => return Poisoned::Ignored,
            Got::Free => {}
        }
        if !is_free_buddy_page(cpu, page) {
            return Poisoned::Ignored;
        }
        if take_page_off_buddy(cpu, page) {
            // page_ref_inc, of a count that is zero: nobody but walkers can be there.
            atomic_add(cpu, page.refcount, 1);
            return Poisoned::TakenOff;
        }
        if !retry {
            return Poisoned::Ignored;
        }
        clear_page_flags(cpu, page, PageFlags::HWPOISON);
        retry = false;
    }
}

/// What [`get_hwpoison_page`] found.
enum Got {
    Reference,
    Free,
    Neither,
}

/// How often a page is looked at that is neither (`get_any_page`).
const PASSES: u32 = 4;

/// `get_any_page`: a reference of a page that is on the LRU; or whether it is free.
fn get_hwpoison_page(cpu: &Cpu<'_>, page: &Page) -> Got {
    let _span = cpu.span("get_hwpoison_page");
    let folio = Folio::of(cpu.machine().page(page.pfn));
    for pass in 1..=PASSES {
        match try_get_hwpoison_page(cpu, page) {
            Some(true) if is_handlable(cpu, folio) => return Got::Reference,
            Some(true) => folio_put(cpu, folio),
            Some(false) => {
                let is_zero = folio_ref_count_is(cpu, folio, 0);
                if is_zero && is_free_buddy_page(cpu, page) {
                    return Got::Free;
                }
                continue;
            }
            None => {}
        }
        if pass < PASSES {
            // shake_page
            lru_add_drain_all(cpu);
        }
    }
    Got::Neither
}

/// `__get_hwpoison_page`: whether there is a reference now; `None` of a page of which none is to be taken.
fn try_get_hwpoison_page(cpu: &Cpu<'_>, page: &Page) -> Option<bool> {
    let folio = page_folio(cpu, cpu.machine().page(page.pfn));
    if !is_handlable(cpu, folio) {
        return None;
    }
    // folio_try_get. ORDERING: none beyond coherence: the last drop goes through the same word. Pairs with whoever drops it. Without
    // the look: R52, a page that is freed gets a reference. Step `poison-unless-zero`.
    let got = if cpu.does(Step::PoisonUnlessZero) {
        atomic_add_unless(cpu, folio.head().refcount, 1, 0, RmwOrder::Full)
    } else {
        let one = Rmw::Add(1_i32.into_word());
        folio.head().refcount.update(cpu, one, RmwOrder::Full);
        true
    };
    if got && !page_is_in_folio(cpu, page, folio) {
        folio_put(cpu, folio);
        return Some(false);
    }
    Some(got)
}

/// `HWPoisonHandlable`: on the LRU, or free.
fn is_handlable(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    folio.test(cpu, PageFlags::LRU) || is_free_buddy_page(cpu, folio.head())
}

/// `is_free_buddy_page`. The kernel looks without the lock, at a word that others write under it; here under the lock.
fn is_free_buddy_page(cpu: &Cpu<'_>, page: &Page) -> bool {
    let zone = &cpu.machine().zone;
    zone.lock.lock(cpu);
    let free = page.buddy.read(cpu);
    zone.lock.unlock(cpu);
    free
}

/// The rest, of a page of which there is a reference.
fn in_use(cpu: &Cpu<'_>, folio: Folio<'_>) -> Poisoned {
    // shake_page
    lru_add_drain_all(cpu);
    folio_lock(cpu, folio);
    // page_flags, for later. It is asked again: somebody may isolate the page in between.
    let was_on_lru = folio.test(cpu, PageFlags::LRU);
    if folio.test(cpu, PageFlags::LRU) || folio.test(cpu, PageFlags::WRITEBACK) {
        folio_wait_writeback(cpu, folio);
        let unmapped = hwpoison_user_mappings(cpu, folio);
        if !unmapped || is_torn_down(cpu, folio) {
            folio.unlock(cpu);
            return Poisoned::Failed;
        }
    }
    identify_page_state(cpu, folio, was_on_lru)
}

/// `hwpoison_user_mappings`, without the signals: whether the page is mapped nowhere.
fn hwpoison_user_mappings(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("hwpoison_user_mappings");
    if !folio.test(cpu, PageFlags::LRU) || !folio_mapped(cpu, folio) {
        return true;
    }
    let why = if folio_test_swapcache(cpu, folio) {
        UnmapFor::MemoryFailureOfSwapCache
    } else {
        UnmapFor::MemoryFailure
    };
    try_to_unmap(cpu, folio, why);
    !folio_mapped(cpu, folio)
}

/// `MF_MSG_TRUNCATED_LRU`.
fn is_torn_down(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    folio.test(cpu, PageFlags::LRU)
        && !folio_test_swapcache(cpu, folio)
        && read_once_is(cpu, folio.head().mapping, Mapping::None)
}

/// `identify_page_state`, of a locked page: what it is decides what is done. Unlocks it.
fn identify_page_state(cpu: &Cpu<'_>, folio: Folio<'_>, was_on_lru: bool) -> Poisoned {
    let _span = cpu.span("identify_page_state");
    if folio_test_swapcache(cpu, folio) {
        if folio.test(cpu, PageFlags::DIRTY) {
            // me_swapcache_dirty
            clear_page_flags(cpu, folio.head(), PageFlags::DIRTY);
            set_page_flags(cpu, folio.head(), PageFlags::NOT_UPTODATE);
            return of_swap_cache(cpu, folio, Poisoned::Delayed, 1);
        }
        // me_swapcache_clean
        delete_from_swap_cache(cpu, folio);
        return of_swap_cache(cpu, folio, Poisoned::Recovered, 0);
    }
    let known = folio.test(cpu, PageFlags::LRU) || was_on_lru;
    if known {
        // me_pagecache_clean, of anonymous memory
        delete_from_lru_cache(cpu, folio);
    }
    folio.unlock(cpu);
    if known {
        Poisoned::Recovered
    } else {
        Poisoned::Failed
    }
}

/// What the two have in common: off the LRU, unlocked, and only then it is asked who else has it, but for so many of the cache's.
fn of_swap_cache(cpu: &Cpu<'_>, folio: Folio<'_>, how: Poisoned, cached: i32) -> Poisoned {
    let deleted = delete_from_lru_cache(cpu, folio);
    folio.unlock(cpu);
    // has_extra_refcount
    let alone = folio_ref_count_is_below(cpu, folio, 2 + cached);
    if deleted && alone {
        how
    } else {
        Poisoned::Failed
    }
}

/// `delete_from_lru_cache`: whether nobody else had taken it off.
fn delete_from_lru_cache(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    // folio_isolate_lru
    if !test_and_clear_page_flag(cpu, folio.head(), PageFlags::LRU) {
        return false;
    }
    folio_get(cpu, folio);
    folio_put(cpu, folio);
    true
}
