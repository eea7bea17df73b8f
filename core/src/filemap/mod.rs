//! Files: how long they are, and what of them is in memory.
//!
//! | file | noun |
//! | --- | --- |
//! | `find` | what a cache has in a place |
//! | `cache` | the page cache of a file |
//! | `batch` | many pages of a file at once |

mod batch;
mod cache;
mod find;

pub use crate::types::File;
pub use batch::{FolioBatch, delete_from_page_cache_batch, find_get_entries, find_lock_entries};
pub use cache::{
    filemap_add_folio, filemap_alloc_folio, filemap_get_or_create_folio, filemap_read_folio,
    filemap_remove_folio, folio_is_in, folio_is_uptodate, folio_mark_uptodate, i_size_reaches,
    prepare_write, remove_file_mapping, truncate_size,
};
pub use find::{Cache, filemap_get_entry};
