//! Bits of `page->flags`, set and cleared.

use super::{Mapping, Page, PageFlags};
use crate::cpu::Cpu;
use crate::lkmm::{VoidAtomic, clear_bit, read_once_has, read_once_is, set_bit};
use crate::sync::{Look, Rmw, RmwOrder, Word};

/// `set_bit` on `page->flags`: atomic, orders nothing.
#[track_caller]
pub fn set_page_flags(cpu: &Cpu<'_>, page: &Page, flags: PageFlags) -> VoidAtomic {
    set_bit(cpu, page.flags, flags)
}

/// `folio_mark_dirty`: whether the folio was clean. Of a file that tracks dirty pages it is a full barrier (`filemap_dirty_folio`); of all others
/// it looks first, and is one if the folio was clean (`noop_dirty_folio`).
#[track_caller]
pub fn folio_mark_dirty(cpu: &Cpu<'_>, page: &Page) -> bool {
    // A machine without files is spared the question.
    let tracks = !cpu.machine().files.is_empty() && read_once_is(cpu, page.mapping, Mapping::File);
    if !tracks && read_once_has(cpu, page.flags, PageFlags::DIRTY) {
        return false;
    }
    // ORDERING: full, as every value-returning atomic: what was written comes before the mark. Pairs with the clear of write-back. For
    // reclaim, which looks at the count first, it is the drop that follows. No step.
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
    // ORDERING: full, as every value-returning atomic. Of isolators only its atomicity matters: one wins. Of write-back it is what comes
    // between the mark and the contents; pairs with the mark of whoever has written (F12 is of one that is no barrier). No step.
    let (clear, was_set) = (Rmw::And(!flag.into_word()), Look::HasAll(flag.into_word()));
    page.flags.rmw_look(cpu, clear, RmwOrder::Full, was_set) != 0
}
