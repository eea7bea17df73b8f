//! Address spaces: the mm, its areas, and the faults that fill them.
//!
//! | file | noun |
//! | --- | --- |
//! | `mmap_lock` | the mmap lock, and the areas that it keeps in place |
//! | `vma_lock` | an area's own lock |
//! | `anon_vma` | the anon_vma lock, and what it keeps in place |
//! | `file_map` | the areas that map a file |
//! | `has_pinned` | the mark of an mm whose pages may be pinned |
//! | `write_protect_seq` | fork's sequence, as fork writes it |
//! | `deposit` | tables deposited for huge mappings |
//! | `pagemap` | references of a device's pagemap |
//! | `huge_zero` | the huge zero page, made and given back |
//! | `notifier` | telling secondary MMUs of a change |
//! | `split_pmd` | a huge pmd becomes a table of PTEs |
//! | `fault_flags` | what a fault is asked for, and how it ends |
//! | `fault` | a page fault |
//! | `users` | who uses an address space |
//! | `vm_flags` | what an area allows, now |
//! | `gather` | what an unmapping collects and frees at the end |

mod anon_vma;
mod deposit;
mod fault;
mod fault_flags;
mod file_map;
mod gather;
mod has_pinned;
mod huge_zero;
mod mmap_lock;
mod notifier;
mod pagemap;
mod split_pmd;
mod users;
mod vm_flags;
mod vma_lock;
mod write_protect_seq;

pub use crate::types::SecondaryMmu;
pub use crate::types::{AnonPlace, AnonVma, Backing, FileMap, Mm, Pagemap, VmFlags, Vma, VmaLock};
pub use anon_vma::{
    anon_vma_areas, anon_vma_clone, anon_vma_fork, anon_vma_root, folio_anon_vma,
    folio_move_anon_rmap, folio_move_anon_rmap_to, page_copy_anon, page_set_anon, unlink_anon_vmas,
};
pub use fault::{handle_mm_fault, wait_for_change};
pub use fault_flags::{FaultFlags, VmFault};
pub use file_map::{areas_of_file, areas_of_pages, file_of, unlink_file_vma, vma_hugecache_offset};
pub use gather::MmuGather;
pub use huge_zero::{
    is_huge_zero_page, is_huge_zero_pmd, mm_get_huge_zero_page, shrink_huge_zero_page_scan,
};
pub use notifier::{invalidate_range_end, invalidate_range_start};
pub use pagemap::{get_dev_pagemap, put_dev_pagemap, touch_memmap};
pub(crate) use split_pmd::pmd_page;
pub use split_pmd::{pmdp_invalidate, split_huge_pmd, split_huge_pmd_locked};
pub use vma_lock::{lock_vma_under_rcu, vma_end_read, vma_start_write};
