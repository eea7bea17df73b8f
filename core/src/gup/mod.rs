//! `get_user_pages` and `pin_user_pages`, fast and slow.
//!
//! | file | noun |
//! | --- | --- |
//! | `flags` | `FOLL_*` |
//! | `pages` | the pages that a call gets |
//! | `entry` | the functions that callers call, and their argument checks |
//! | `fast` | the lockless walk |
//! | `device` | device memory in it |
//! | `grab` | references and pins |
//! | `gates` | what the fast path refuses |
//! | `dirty` | pages that were written to, given back |
//! | `slow` | the walk under the mmap lock |
//! | `remote` | the function that pins another process's pages |
//! | `follow` | one page under the page-table lock |
//! | `kvm_fault` | KVM maps a page for its guest |
//! | `perf` | a page taken for a moment, for its address |
//! | `mapping_size` | walks that take no page, and ask how large its mapping is |

mod device;
mod dirty;
mod entry;
mod fast;
mod flags;
mod follow;
mod gates;
mod grab;
mod kvm_fault;
mod mapping_size;
mod pages;
mod perf;
mod remote;
mod slow;

pub use crate::errno::Errno;
pub use dirty::write_and_put_pages;
pub use entry::{
    get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast, pin_user_pages_fast_only,
};
pub use flags::Foll;
pub use grab::{
    gup_put_folio, put_page, try_grab_folio, try_grab_page, unpin_user_page, unpin_user_pages,
};
pub use kvm_fault::kvm_page_fault;
pub use mapping_size::{Guard, get_user_mapping_size, perf_get_page_size, perf_get_pgtable_size};
pub use pages::{Asked, Gup, MAX_PAGES, Pages};
pub use perf::perf_virt_to_phys;
pub use remote::pin_user_pages_remote;

use pages::Recorded;
