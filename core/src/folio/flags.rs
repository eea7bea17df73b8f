//! Bits of `page->flags`, set and cleared.

use super::{Page, PageFlags};
use crate::cpu::Cpu;
use crate::lkmm::{VoidAtomic, clear_bit, read_once_has, set_bit};
use crate::sync::{Look, Rmw, RmwOrder, Word};

/// `set_bit` on `page->flags`: atomic, orders nothing.
#[track_caller]
pub fn set_page_flags(cpu: &Cpu<'_>, page: &Page, flags: PageFlags) -> VoidAtomic {
    set_bit(cpu, page.flags, flags)
}

/// `folio_mark_dirty`: looks first, and is a full barrier if the folio was clean. Whether it was.
#[track_caller]
pub fn folio_mark_dirty(cpu: &Cpu<'_>, page: &Page) -> bool {
    if read_once_has(cpu, page.flags, PageFlags::DIRTY) {
        return false;
    }
    // ORDERING: full, as every value-returning atomic. No step: what orders the contents before the mark is the drop that follows.
    let (set, was_set) = (
        Rmw::Or(PageFlags::DIRTY.into_word()),
        Look::HasAll(PageFlags::DIRTY.into_word()),
    );
    page.flags.rmw_look(cpu, set, RmwOrder::Full, was_set) == 0
}

/// `PageHWPoison`: whether memory has failed under the page, where boot says that it may.
#[track_caller]
pub fn page_is_poisoned(cpu: &Cpu<'_>, page: &Page) -> bool {
    page.memory.may_fail && read_once_has(cpu, page.flags, PageFlags::HWPOISON)
}

/// `clear_bit` on `page->flags`: atomic, orders nothing.
#[track_caller]
pub fn clear_page_flags(cpu: &Cpu<'_>, page: &Page, flags: PageFlags) -> VoidAtomic {
    clear_bit(cpu, page.flags, flags)
}

/// `test_and_clear_bit` on `page->flags`: fully ordered; whether it was set.
#[track_caller]
pub fn test_and_clear_page_flag(cpu: &Cpu<'_>, page: &Page, flag: PageFlags) -> bool {
    // ORDERING: full, as every value-returning atomic; only its atomicity matters: one isolator wins. No
    // step.
    let (clear, was_set) = (Rmw::And(!flag.into_word()), Look::HasAll(flag.into_word()));
    page.flags.rmw_look(cpu, clear, RmwOrder::Full, was_set) != 0
}
