//! Pages and folios: heads and tails, counts, flags, and the allocator.
//!
//! | file | noun |
//! | --- | --- |
//! | `head` | a folio, by its head page |
//! | `flags` | bits of `page->flags` |
//! | `mapcount` | how often a page is mapped |
//! | `zero_page` | the shared zero page |
//! | `refcount` | the count, its freezing, the pins in it |
//! | `exclusive` | the anon-exclusive bit |
//! | `alloc` | the free list |

mod alloc;
mod exclusive;
mod flags;
mod head;
mod mapcount;
mod refcount;
mod zero_page;

pub use crate::types::{
    BlockLink, CompoundHead, LruBatch, Mapping, Memory, Migratetype, Owner, Page, PageFlags, Pfn,
    Vmemmap,
};
pub(crate) use alloc::free_folio;
pub use alloc::{alloc_folio, take_page_off_buddy};
pub use exclusive::{
    page_anon_exclusive, page_try_dup_anon_rmap, page_try_share_anon_rmap, set_page_anon_exclusive,
};
pub use flags::{clear_page_flags, folio_mark_dirty, set_page_flags, test_and_clear_page_flag};
pub use head::{Folio, page_folio, page_is_in_folio};
pub use mapcount::{
    folio_mapped, page_add_new_rmap, page_add_rmap, page_dup_rmap, page_remove_rmap,
};
pub use refcount::{
    Frozen, GUP_PIN_COUNTING_BIAS, folio_get, folio_maybe_dma_pinned, folio_put, folio_put_refs,
    folio_ref_add, folio_ref_count_is, folio_ref_count_is_below, folio_ref_freeze,
    folio_ref_try_add, folio_ref_unfreeze,
};
pub use zero_page::is_zero_page;
