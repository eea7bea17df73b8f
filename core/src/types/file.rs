//! A file, as far as those ask who map it.

use super::{Cached, Mapping};
use crate::sync::{Atomic, Layout, Life, Name, RwLock, SpinLock};

/// `inode` and `address_space`: how long a file is, and what of it is in memory.
#[derive(Debug)]
pub struct File {
    /// Which of the machine's.
    pub nth: u32,
    /// What a page of it has in `page->mapping`. There is one file of a kind, at most, so that this tells whose the page is.
    pub mapping: Mapping,
    /// `i_size`, in pages.
    pub size: Atomic<u32>,
    /// `i_pages`, by index: the folio that is in memory. Written under the lock, and read without it.
    pub pages: Vec<Atomic<Cached>>,
    /// What of it is on disk, by index: whoever writes a page out writes what was in the page.
    pub disk: Vec<Atomic<u32>>,
    /// What a page is written out with is there (buffers, reserved blocks), by index. `page_mkwrite` prepares it, and writing the page out
    /// uses it up. Changed with the folio locked.
    pub prepared: Vec<Atomic<bool>>,
    /// The memory of the inode, of which the mapping is a part.
    pub life: Life,
    /// `i_pages.xa_lock`. Taken with interrupts off.
    pub lock: SpinLock,
    /// `invalidate_lock`: held for reading by whoever fills the cache from the disk, for writing by whoever empties it.
    pub invalidate_lock: RwLock,
    /// `i_mmap_rwsem`: keeps the areas that map it.
    pub i_mmap: RwLock,
    /// `hugetlb_fault_mutex_table`, of hugetlbfs: held by whoever faults on a page of the file, or takes one out of it. One for all pages.
    pub fault_mutex: SpinLock,
    /// hugetlbfs: its pages are huge, and so are the indexes and the length.
    pub huge: bool,
    /// Reading it fails.
    pub unreadable: bool,
}

impl File {
    /// A file of `pages` pages, nothing of which is in memory, and which may not grow.
    pub(crate) fn declare(layout: &mut Layout, nth: u32, mapping: Mapping, pages: u32) -> Self {
        let name = |template| Name::new(template, [nth]);
        layout.object(name("file{}"), |layout| Self {
            nth,
            mapping,
            size: layout.atomic(name("file{}.i_size"), pages),
            pages: (0..pages)
                .map(|n| layout.atomic(Name::new("file{}.pages[{}]", [nth, n]), Cached(None)))
                .collect(),
            disk: (0..pages)
                .map(|n| layout.atomic(Name::new("file{}.disk[{}]", [nth, n]), 0))
                .collect(),
            prepared: (0..pages)
                .map(|n| layout.atomic(Name::new("file{}.prepared[{}]", [nth, n]), false))
                .collect(),
            life: layout.life(name("file{}.life"), true),
            lock: layout.spin_lock(name("file{}.xa_lock")),
            invalidate_lock: layout.rw_lock(name("file{}.invalidate_lock")),
            fault_mutex: layout.spin_lock(name("file{}.fault_mutex")),
            i_mmap: layout.rw_lock(name("file{}.i_mmap_rwsem")),
            huge: false,
            unreadable: false,
        })
    }
}
