//! Page tables: the walk through them, their locks, and how they come and go.
//!
//! | file | noun |
//! | --- | --- |
//! | `walk` | pointers to entries, the lockless descent |
//! | `hugetlb` | the entry of a page of hugetlb's |
//! | `table_lock` | the lock of a table |
//! | `ptl` | the way to a PTE, with and without the lock of its table |
//! | `halves` | entries of two words |
//! | `clear_flush` | an entry cleared, and flushed |
//! | `alloc` | tables made, published and freed |
//! | `swapops` | swap-type entries, and the pages that they name |

mod alloc;
mod clear_flush;
mod halves;
mod hugetlb;
mod ptl;
mod swapops;
mod table_lock;
mod walk;
mod young;

pub use crate::types::{
    Bits, Entry, Geometry, Level, MAX_PTRS_PER_PTE, PAGE_SHIFT, PAGE_SIZE, Table,
};
pub use alloc::{free_tables, pmd_install, pte_alloc, pte_alloc_one, pte_free};
pub use clear_flush::ptep_clear_flush;
pub use hugetlb::hugetlb_walk;
pub use ptl::{
    find_locked_pte, pte_offset_map_lock, pte_offset_map_nolock, pte_offset_map_rw_nolock,
    pte_unmap, pte_unmap_unlock,
};
pub use swapops::pfn_swap_entry_to_page;
pub use table_lock::TableLock;
pub use walk::{
    EntryPtr, find_entry, hugepd_span, hugepte_offset, offset_lockless, pgd_offset, table_entry,
};
