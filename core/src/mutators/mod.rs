//! Everybody who changes page tables under a walker.
//!
//! # The protocol, on the mutators' side
//!
//! 1. make the entry unusable: clear it, or exchange it for one that is not present;
//! 2. a full barrier, unless 3 is an exchange of the count itself;
//! 3. look at the references, or freeze them;
//! 4. act, or put the entry back;
//! 5. flush; 6. free, or reuse.
//!
//! None of them can be seen by a walker through the locks that they hold. Nothing here imports
//! `gup`, nor the other way round: walkers and mutators meet in cells alone. The split of a huge
//! pmd, which a page fault makes too, is in [`mm`](crate::mm).
//!
//! | file | who |
//! | --- | --- |
//! | `zap` | `madvise(MADV_DONTNEED)` and the entries' part of `munmap` |
//! | `zap_pud` | a huge leaf of the PUD level |
//! | `zap_hugetlb` | entries of hugetlb's pages |
//! | `munmap` | `munmap`: the area, the entries, the tables |
//! | `split_folio` | a large folio becomes small ones |
//! | `deferred_split` | large folios of which a part is mapped no more become small ones |
//! | `page_vma_mapped` | where an area maps the pages of a folio |
//! | `rmap` | all mappings of a folio: to migration entries and back |
//! | `unmap` | all mappings of a folio: to swap entries, or to nothing |
//! | `reclaim` | pages are taken from those who do not use them |
//! | `reclaim_file` | the same of a file's page |
//! | `reclaim_large` | the same of a large folio |
//! | `migrate` | a page moves to another frame, or a huge page to other frames |
//! | `folio_migrate` | what moves with it |
//! | `pmd_migration` | pmd migration entries |
//! | `migrate_device` | a page of a device's memory moves to ordinary memory |
//! | `migrate_misplaced` | a huge page moves behind a NUMA hint (v3.8 to v5.13) |
//! | `migrate_pages` | many do, at once or one by one |
//! | `uffd_continue` | a userfaultfd's monitor maps what the page cache has |
//! | `uffd_move` | a userfaultfd's pages move to another address (v6.8) |
//! | `user_access` | user space reads and writes, by translations |
//! | `user_fault` | user space touches its memory |
//! | `collapse` | khugepaged: small pages become a huge one |
//! | `scan_result` | how that ends, and what is counted |
//! | `device` | a file system or a driver takes device memory away |
//! | `gigantic` | raw pages become one folio |
//! | `isolate` | a block of pages is emptied |
//! | `isolate_hugetlb` | hugetlb's pages, which move nowhere |
//! | `reclaim_table` | a table that a zap has emptied is freed (later than v6.8) |
//! | `protect` | `mprotect`, NUMA hints, userfaultfd, soft-dirty |
//! | `mremap` | an area moves to another address |
//! | `truncate` | a file becomes shorter, or gets a hole |
//! | `writeback` | a file's page is written to the disk |
//! | `truncate_hugetlb` | a file of hugetlbfs does |
//! | `leaf_replaced` | a huge leaf gives way to a table |
//! | `evict` | a file that nobody uses goes |
//! | `exit` | a process ends |
//! | `hardware` | hardware walks, and uses what it has cached |
//! | `hvo` | hugetlb gives the memory of struct pages back |
//! | `longterm` | a page that is to be held for long moves first |
//! | `memory_failure` | memory fails under a page |
//! | `ksm` | KSM: a page is merged with another of the same contents |
//! | `noise` | background actors, which may come to any race |
//! | `fork` | a child gets its parent's page tables |
//! | `copy_pte`, `copy_huge` | the same of a table of PTEs, of a huge entry |

mod collapse;
mod copy_huge;
mod copy_pte;
mod deferred_split;
mod device;
mod evict;
mod exit;
mod folio_migrate;
mod fork;
mod gigantic;
mod hardware;
mod hvo;
mod isolate;
mod isolate_hugetlb;
mod ksm;
mod leaf_replaced;
mod longterm;
mod memory_failure;
mod migrate;
mod migrate_device;
mod migrate_misplaced;
mod migrate_pages;
mod mremap;
mod munmap;
mod noise;
mod page_vma_mapped;
mod pmd_migration;
mod protect;
mod reclaim;
mod reclaim_file;
mod reclaim_large;
mod reclaim_table;
mod rmap;
mod scan_result;
mod split_folio;
mod truncate;
mod truncate_hugetlb;
mod uffd_continue;
mod uffd_move;
mod unmap;
mod user_access;
mod user_fault;
mod writeback;
mod zap;
mod zap_hugetlb;
mod zap_pud;

pub use collapse::collapse_huge_page;
pub use deferred_split::deferred_split_scan;
pub use device::{dax_layout_is_idle, memunmap_pages};
pub use evict::evict_inode;
pub use exit::exit_mmap;
pub use fork::dup_mm;
pub use gigantic::prep_compound_gigantic_folio;
pub use hardware::{hardware_access, hardware_touch};
pub use hvo::hugetlb_vmemmap_optimize;
pub use isolate::set_migratetype_isolate;
pub use isolate_hugetlb::{isolate_hugetlb, migrate_hugetlbs};
pub use ksm::ksm_merge;
pub use leaf_replaced::replace_huge_pud;
pub use longterm::lru_add_drain_all;
pub use memory_failure::{Poisoned, memory_failure};
pub use migrate::{migrate_huge_page, migrate_page};
pub use migrate_device::migrate_device_coherent_page;
pub use migrate_misplaced::migrate_misplaced_huge_page;
pub use migrate_pages::{
    Folios, MigrateMode, folio_isolate_lru, migrate_isolated, migrate_pages, putback_movable_pages,
};
pub use mremap::{mremap, mremap_dontunmap};
pub use munmap::munmap;
pub use noise::{age_and_touch, freeze_for_a_while, lru_add_drain, speculative_pfn_walk};
pub use protect::{change_prot_numa, clear_refs, mprotect, mwriteprotect_range};
pub use reclaim::reclaim_pages;
pub use reclaim_file::reclaim_file_page;
pub use scan_result::Scan;
pub use split_folio::split_huge_page;
pub use truncate::{punch_hole, truncate};
pub use uffd_continue::mfill_atomic_continue;
pub use uffd_move::move_pages;
pub use user_access::{user_read, user_write};
pub use user_fault::do_user_addr_fault;
pub use writeback::write_cache_page;
pub(crate) use zap::unmap_page_range;
pub use zap::{madvise_dontneed, madvise_dontneed_reclaim, madvise_dontneed_vma};
