//! Memory fails under a page: `memory_failure`.
//!
//! # The order
//!
//! 1. the page is marked as poisoned;
//! 2. a reference is taken, unless the count is zero: a page in use (its unmapping is not modelled: docs/limits.md);
//! 3. a free page is taken off the allocator's list, under the zone's lock, and *then* gets a reference, so that nobody is given it;
//! 4. if it was not on the list by then, somebody allocated it: everything again, once.
//!
//! # What happens when a walker comes
//!
//! It has an old entry for the page. Its reference is refused while the count is zero (P11). After 3 it gets one, of a
//! page that nobody uses; its recheck gives it back (P19).

use crate::cpu::Cpu;
use crate::folio::{
    Folio, Page, PageFlags, Pfn, clear_page_flags, folio_put, page_folio, take_page_off_buddy,
};
use crate::lkmm::{atomic_add, atomic_add_unless, read_once_is};
use crate::sync::{Rmw, RmwOrder, Word};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poisoned {
    /// `MF_RECOVERED`, of a free page: it is nobody's for ever, but has a reference.
    TakenOff,
    /// Somebody uses it. Poisoned it is all the same.
    InUse,
    /// `MF_FAILED`, `MF_IGNORED`: neither free nor in use, as often as it was looked at.
    Failed,
    /// `-EHWPOISON`: it was known.
    Known,
}

/// What [`get_hwpoison_page`] found.
enum Got {
    Reference,
    Free,
    Neither,
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
            Got::Reference => {
                folio_put(cpu, page_folio(cpu, page));
                return Poisoned::InUse;
            }
            Got::Neither => return Poisoned::Failed,
            Got::Free => {}
        }
        if take_page_off_buddy(cpu, page) {
            // page_ref_inc, of a count that is zero: nobody but walkers can be there.
            atomic_add(cpu, page.refcount, 1);
            return Poisoned::TakenOff;
        }
        if !retry {
            return Poisoned::Failed;
        }
        clear_page_flags(cpu, page, PageFlags::HWPOISON);
        retry = false;
    }
}

/// `get_any_page`: a reference of a page that is on the LRU; or whether it is free.
fn get_hwpoison_page(cpu: &Cpu<'_>, page: &Page) -> Got {
    let _span = cpu.span("get_hwpoison_page");
    for _ in 0..4 {
        // HWPoisonHandlable: on the LRU, or free.
        let free = is_free_buddy_page(cpu, page);
        let folio = Folio::of(cpu.machine().page(page.pfn));
        if !free && !folio.test(cpu, PageFlags::LRU) {
            continue;
        }
        // folio_try_get
        if atomic_add_unless(cpu, page.refcount, 1, 0, RmwOrder::Full) {
            return Got::Reference;
        }
        if read_once_is(cpu, page.refcount, 0) && is_free_buddy_page(cpu, page) {
            return Got::Free;
        }
    }
    Got::Neither
}

/// `is_free_buddy_page`. The kernel looks without the lock, at a word that others write under it; here under the lock.
fn is_free_buddy_page(cpu: &Cpu<'_>, page: &Page) -> bool {
    let zone = &cpu.machine().zone;
    zone.lock.lock(cpu);
    let free = page.buddy.read(cpu);
    zone.lock.unlock(cpu);
    free
}
