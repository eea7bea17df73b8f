//! Page tables: entry values, the tables' shape, the tables, and the walk through them.
//!
//! | file | noun |
//! | --- | --- |
//! | `walk` | pointers to entries, the lockless descent |
//! | `alloc` | tables made, published and freed |

mod alloc;
mod walk;

pub use crate::types::{Bits, Entry, Geometry, Level, PAGE_SHIFT, PAGE_SIZE, Table};
pub use alloc::{free_tables, pmd_install, pte_alloc, pte_alloc_one, pte_free};
pub use walk::{EntryPtr, find_entry, offset_lockless, pgd_offset, table_entry};
