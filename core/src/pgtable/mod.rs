//! Page tables: entry values, the tables' shape, the tables, and the walk through them.
//!
//! | file | noun |
//! | --- | --- |
//! | `entry` | the value of an entry |
//! | `geometry` | levels and addresses |
//! | `table` | a frame that holds entries |
//! | `walk` | pointers to entries, the lockless descent |
//! | `alloc` | tables made, published and freed |

mod alloc;
mod entry;
mod geometry;
mod table;
mod walk;

pub use alloc::{free_tables, pmd_install, pte_alloc, pte_alloc_one, pte_free};
pub use entry::{Bits, Entry};
pub use geometry::{Geometry, Level, PAGE_SHIFT, PAGE_SIZE};
pub use table::Table;
pub use walk::{EntryPtr, find_entry, offset_lockless, pgd_offset, table_entry};
