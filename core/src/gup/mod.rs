//! `get_user_pages` and `pin_user_pages`, fast and slow.
//!
//! | file | noun |
//! | --- | --- |
//! | `flags` | `FOLL_*` |
//! | `pages` | the pages that a call gets |
//! | `args` | what callers may ask for |
//! | `entry` | the functions that callers call for a lockless walk |
//! | `callers` | those for callers who have the mmap lock, or want no lockless walk |
//! | `fast` | the lockless walk |
//! | `device` | device memory in it |
//! | `hugepd` | directories of huge pages in it |
//! | `grab` | references and pins |
//! | `unpin` | pins given back |
//! | `gates` | what the fast path refuses |
//! | `dirty` | pages that were written to, given back |
//! | `locked` | the mmap lock around the slow walk |
//! | `slow` | the walk under the mmap lock |
//! | `gate` | the page of the kernel's own, where there is no area |
//! | `area` | the area that an address is in, and what it allows |
//! | `faultin` | faults that GUP makes |
//! | `longterm` | what may not stay where it is moves first |
//! | `populate` | pages that are faulted in and not got |
//! | `follow` | one page under the page-table lock |
//! | `hugetlb` | the same of hugetlb's |
//! | `followed` | what both find |
//! | `kvm_fault` | KVM maps a page for its guest |
//! | `perf` | a page taken for a moment, for its address |
//! | `mapping_size` | walks that take no page, and ask how large its mapping is |

mod area;
mod args;
mod callers;
mod device;
mod dirty;
mod entry;
mod fast;
mod faultin;
mod flags;
mod follow;
mod followed;
mod gate;
mod gates;
mod grab;
mod hugepd;
mod hugetlb;
mod kvm_fault;
mod locked;
mod longterm;
mod mapping_size;
mod pages;
mod perf;
mod populate;
mod slow;
mod unpin;

pub use crate::errno::Errno;
pub use args::{Given, valid_gup_args};
pub use callers::{
    UserRange, get_dump_page, get_user_pages, get_user_pages_remote, get_user_pages_unlocked,
    pin_user_pages, pin_user_pages_remote, pin_user_pages_unlocked,
};
pub use dirty::write_and_put_pages;
pub use entry::{
    get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast, pin_user_pages_fast_only,
};
pub use faultin::fixup_user_fault;
pub use flags::Foll;
pub use follow::follow_page;
pub use grab::{gup_put_folio, put_page, try_grab_folio, try_grab_page};
pub use kvm_fault::kvm_page_fault;
pub use mapping_size::{Guard, get_user_mapping_size, perf_get_page_size, perf_get_pgtable_size};
pub use pages::{Asked, Gup, MAX_PAGES, Pages};
pub use perf::perf_virt_to_phys;
pub use populate::{faultin_vma_page_range, mm_populate, populate_vma_page_range};
pub use unpin::{
    folio_add_pin, unpin_user_page, unpin_user_page_range_dirty_lock, unpin_user_pages,
    unpin_user_pages_dirty_lock,
};

use pages::Recorded;
