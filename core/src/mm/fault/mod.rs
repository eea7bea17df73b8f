//! A page fault.
//!
//! Anonymous memory, files, shmem, secretmem, and frames that a driver has mapped. Huge pages are faulted in where the area asks for
//! them (`VM_HUGEPAGE`), of anonymous memory alone; hugetlb's pages are mapped where they are there. A device's leaves are its driver's affair, and not modelled.
//!
//! | file | noun |
//! | --- | --- |
//! | `handle` | one fault under way, and where it goes |
//! | `entry` | what a fault makes of an entry |
//! | `wait` | another entry |
//! | `anonymous` | a page where there was none |
//! | `huge_anonymous` | a huge page where there was nothing |
//! | `large_anonymous` | several pages where there were none |
//! | `file` | a page of a file where there was none |
//! | `filemap` | a page of a file |
//! | `hugetlb` | a page of hugetlb's |
//! | `retry` | waiting for a lock of a folio, with the mmap lock or without |
//! | `swap` | a page that was swapped out |
//! | `wp` | a write to a page that may not be written to: reused, or copied |
//! | `wp_shared` | the same of a shared mapping |
//! | `huge` | the same of a huge pmd |

mod anonymous;
mod entry;
mod file;
mod filemap;
mod handle;
mod huge;
mod huge_anonymous;
mod hugetlb;
mod large_anonymous;
mod retry;
mod swap;
mod wait;
mod wp;
mod wp_shared;

pub use handle::handle_mm_fault;
pub use wait::wait_for_change;
