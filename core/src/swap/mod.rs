//! Swap space: slots and who uses them, and the swap cache between a folio and its slot.
//!
//! # Who has what
//!
//! 1. A slot is used by the entries that name it, each counted, and by the swap cache (`SWAP_HAS_CACHE`). It is free when nobody
//!    does.
//! 2. The swap cache has a reference of the folio that it has for a slot, and the folio is marked (`PG_swapcache`). It changes
//!    hands with the folio locked, and under the cache's own lock, with interrupts off.
//! 3. Whoever takes a folio out of the cache to free it freezes its count first (`__remove_mapping`): somebody may find the
//!    folio there with no lock at all (`filemap_get_folio`), get a reference, and look again whether it is still the one.
//! 4. Who has found one locks it, and asks again whether it is in the cache, and for this slot.
//!
//! # What happens when a walker comes
//!
//! It never sees a slot: an entry that names one is not present. But its reference keeps a folio from being frozen, so
//! that it stays in the cache, and the next fault finds it there.
//!
//! | file | noun |
//! | --- | --- |
//! | `slot` | a slot, and how often it is used |
//! | `cache` | the swap cache |

mod cache;
mod slot;

pub use crate::types::{Cached, Swap, SwapSlot, SwapUse};
pub use cache::{
    NoFolio, add_to_swap, delete_from_swap_cache, filemap_get_folio, folio_free_swap,
    folio_test_swapcache, free_swap_and_cache, free_swap_cache, read_swap_cache_async,
    remove_mapping, replace_in_swap_cache,
};
pub use slot::{swap_duplicate, swap_free, swap_has_cache};
