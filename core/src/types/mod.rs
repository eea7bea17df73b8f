//! What a machine is made of: cells, locks, and the values that they hold.
//!
//! The kernel has these in `mm_types.h` and `pgtable_types.h`; they are declared apart from the functions
//! for the same reason. A page holds a table, a table's entries name pages, an mm names its root, and the
//! machine holds them all: who declares them cannot need a CPU, because a CPU needs them. So nothing here
//! asks for an operation. Callers find each type where its functions are: `folio`, `pgtable`, `mm`, `cpu`.
//!
//! | file | noun |
//! | --- | --- |
//! | `pfn` | a frame's number |
//! | `page_flags` | `page->flags` |
//! | `zone` | the allocator's lists, and the links of such lists |
//! | `file` | a file that is mapped |
//! | `gate` | a page of the kernel's own for user space |
//! | `geometry` | levels and addresses |
//! | `entry` | the value of an entry |
//! | `migratetype` | what a block of pages is kept for |
//! | `pagemap` | the pagemap of a device's memory |
//! | `split_queue` | large folios that want to be split |
//! | `huge_zero` | the huge zero page |
//! | `table` | a frame that holds entries |
//! | `page` | `struct page` |
//! | `anon_vma` | from an anonymous page to where it may be mapped |
//! | `vma` | an area of an address space |
//! | `mm` | an address space |
//! | `lru_batch` | a CPU's batch of pages on their way to the LRU |
//! | `secondary_mmu` | what a hypervisor keeps of an address space |
//! | `swap` | swap slots, and what the swap cache has for them |
//! | `signal` | the signal that a task has pending |
//! | `sections` | what a CPU is in, and others may wait for |

mod anon_vma;
mod entry;
mod file;
mod gate;
mod geometry;
mod huge_zero;
mod lru_batch;
mod migratetype;
mod mm;
mod page;
mod page_flags;
mod pagemap;
mod pfn;
mod secondary_mmu;
mod sections;
mod signal;
mod split_queue;
mod swap;
mod table;
mod vma;
mod zone;

pub use anon_vma::{AnonPlace, AnonVma};
pub(crate) use entry::LOW_HALF;
pub use entry::{Bits, Entry};
pub use file::File;
pub use gate::Gate;
pub use geometry::{Geometry, Level, MAX_PTRS_PER_PTE, PAGE_SHIFT, PAGE_SIZE};
pub use huge_zero::HugeZero;
pub use lru_batch::LruBatch;
pub use migratetype::Migratetype;
pub use mm::Mm;
pub use page::{COMPOUND_MAPPED, CompoundHead, Mapping, Memory, Owner, Page, Vmemmap};
pub use page_flags::PageFlags;
pub use pagemap::Pagemap;
pub use pfn::Pfn;
pub use secondary_mmu::SecondaryMmu;
pub(crate) use sections::{LazyCpu, Sections};
pub use signal::Signal;
pub use split_queue::{Deferred, SplitQueue};
pub use swap::{Cached, Swap, SwapSlot, SwapUse};
pub use table::Table;
pub use vma::{Backing, FileMap, VmFlags, Vma, VmaLock};
pub use zone::{BlockLink, Zone};
