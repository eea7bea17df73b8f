//! Whoever got pages has written to them, and says so: `set_page_dirty`, then `put_page`.

use super::grab::put_page;
use crate::cpu::Cpu;
use crate::folio::{Page, folio_mark_dirty, page_folio};
use crate::lkmm::write_once;

/// A device writes `contents` to each page, and its driver marks each dirty and drops it. Without the folio's lock, as drivers do
/// that call `set_page_dirty`. (`unpin_user_pages_dirty_lock` takes the lock for the mark, which reclaim and migration hold: who
/// comes while they do waits for them.)
pub fn write_and_put_pages(cpu: &Cpu<'_>, pages: &[&Page], contents: u32) {
    for page in pages {
        write_once(cpu, page.contents, contents);
        folio_mark_dirty(cpu, page_folio(cpu, page).head());
        // ORDERING: full, the drop's: the contents and the mark come before it. Pairs with lazyfree-rmb (M-P10). Every drop
        // is `put-ordered`, and no race takes that from this one alone. No step of its own.
        put_page(cpu, page);
    }
}
