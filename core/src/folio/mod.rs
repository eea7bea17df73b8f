//! Pages and folios: heads and tails, counts, flags, and the allocator.
//!
//! | file | noun |
//! | --- | --- |
//! | `head` | a folio, by its head page |
//! | `flags` | bits of `page->flags` |
//! | `contents` | what is in a page |
//! | `deferred` | large folios that want to be split |
//! | `mapcount` | how often a page is mapped |
//! | `zero_page` | the shared zero page |
//! | `refcount` | the count, its freezing, the pins in it |
//! | `exclusive` | the anon-exclusive bit |
//! | `alloc` | the free list |

mod alloc;
mod contents;
mod deferred;
mod exclusive;
mod flags;
mod head;
mod mapcount;
mod refcount;
mod zero_page;

pub use crate::types::{
    BlockLink, COMPOUND_MAPPED, CompoundHead, Deferred, LruBatch, Mapping, Memory, Migratetype,
    Owner, Page, PageFlags, Pfn, Vmemmap,
};
pub(crate) use alloc::free_folio;
pub use alloc::{alloc_folio, take_page_off_buddy};
pub use contents::copy_contents;
pub use deferred::{
    deferred_split_folio, folio_undo_large_rmappable, locked as split_queue_locked,
    queue as split_queue_add, queue_whole_folio, take_all as split_queue_take_all,
    unqueue as split_queue_remove,
};
pub use exclusive::{
    folio_try_dup_anon_rmap_pmd, page_anon_exclusive, page_is_reusable, page_try_dup_anon_rmap,
    page_try_share_anon_rmap, set_page_anon_exclusive,
};
pub use flags::{
    clear_page_flags, folio_mark_dirty, page_is_poisoned, set_page_flags, test_and_clear_page_flag,
};
pub use head::{
    Folio, folio_lock, folio_wait_locked, folio_wait_writeback, page_folio, page_is_in_folio,
};
pub use mapcount::{
    folio_add_new_rmap_pmd, folio_add_new_rmap_range, folio_add_rmap_pmd, folio_dup_rmap_pmd,
    folio_mapcount, folio_mapped, folio_remove_rmap_pmd, hugetlb_remove_rmap, page_add_new_rmap,
    page_add_rmap, page_dup_rmap, page_remove_rmap, page_trans_huge_mapcount,
};
pub use refcount::{
    Frozen, GUP_PIN_COUNTING_BIAS, folio_get, folio_maybe_dma_pinned, folio_put, folio_put_refs,
    folio_ref_add, folio_ref_count_is, folio_ref_count_is_below, folio_ref_freeze,
    folio_ref_try_add, folio_ref_unfreeze,
};
pub use zero_page::is_zero_page;
