//! An area of the address space.

use super::PAGE_SIZE;
use crate::sync::{Atomic, Plain, RwLock, Section, Word};
use bitflags::bitflags;
use std::fmt;
use std::ops::Range;

bitflags! {
    /// `vm_flags`, as far as GUP asks for them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct VmFlags: u32 {
        /// `VM_READ`.
        const READ = 1 << 0;
        /// `VM_WRITE`.
        const WRITE = 1 << 1;
        /// `VM_SHARED`.
        const SHARED = 1 << 2;
        /// `VM_MAYREAD`.
        const MAYREAD = 1 << 3;
        /// `VM_MAYWRITE`.
        const MAYWRITE = 1 << 4;
        /// `VM_MAYSHARE`.
        const MAYSHARE = 1 << 5;
        /// `VM_IO`.
        const IO = 1 << 6;
        /// `VM_PFNMAP`.
        const PFNMAP = 1 << 7;
        /// `VM_SHADOW_STACK`.
        const SHADOW_STACK = 1 << 8;
        /// `VM_HUGEPAGE`: huge pages are faulted in, as `madvise(MADV_HUGEPAGE)` asks for.
        const HUGEPAGE = 1 << 9;
        /// `VM_UFFD_WP`: a userfaultfd watches writes.
        const UFFD_WP = 1 << 10;
        /// `VM_GROWSDOWN`: a stack.
        const GROWSDOWN = 1 << 11;
        /// `VM_LOCKONFAULT`: mlocked, but only once it is there.
        const LOCKONFAULT = 1 << 12;
        /// `VM_UFFD_MINOR`: a userfaultfd maps the pages that the cache has (`UFFDIO_CONTINUE`).
        const UFFD_MINOR = 1 << 13;
    }
}

impl Word for VmFlags {
    fn into_word(self) -> u64 {
        self.bits().into()
    }
    fn from_word(word: u64) -> Self {
        Self::from_bits_truncate(word as u32)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bitflags::parser::to_writer(&Self::from_word(word), f)
    }
}

impl VmFlags {
    /// `vma_is_accessible`: whether any access is allowed at all; NUMA hints mean nothing elsewhere.
    pub const fn is_accessible(self) -> bool {
        self.intersects(Self::READ.union(Self::WRITE))
    }

    /// An ordinary private area that can be read and written.
    pub const PRIVATE: Self = Self::READ
        .union(Self::WRITE)
        .union(Self::MAYREAD)
        .union(Self::MAYWRITE);

    /// A shared area that can be read and written.
    pub const SHARED_WRITABLE: Self = Self::PRIVATE.union(Self::SHARED).union(Self::MAYSHARE);

    /// `is_cow_mapping`: private, and might be written.
    pub const fn is_cow(self) -> bool {
        self.contains(Self::MAYWRITE) && !self.contains(Self::SHARED)
    }
}

/// What is mapped there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Anonymous memory.
    Anon,
    /// A shmem file.
    Shmem,
    /// A secretmem file.
    Secretmem,
    /// A file of a filesystem that tracks dirty pages.
    File,
    /// A file whose pages are a device's memory (`vma_is_fsdax`).
    FsDax,
    /// hugetlbfs.
    Hugetlb,
    /// Frames that a driver has mapped by their numbers (`remap_pfn_range`): nothing of them is counted.
    Pfn,
}

/// `vm_file`: the file that is mapped.
#[derive(Clone, Copy, Debug)]
pub struct FileMap {
    /// Which of the machine's files.
    pub file: u32,
    /// In the file's `i_mmap`, where whoever truncates it finds the area. Under that lock.
    pub in_i_mmap: Atomic<bool>,
}

/// `vm_area_struct`. Its range is fixed; whether it is still there is not, nor what it allows.
#[derive(Debug)]
pub struct Vma {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// `vm_pgoff`: where in its anon_vma, and in its file, its first page is, in pages. Of anonymous memory that page's number, until the
    /// area is moved.
    pub pgoff: u64,
    /// `vm_flags`, as boot made them. `READ` and `WRITE` may change.
    pub flags: VmFlags,
    /// `vm_flags` as they are now, where somebody changes them.
    pub changing: Option<Atomic<VmFlags>>,
    /// What is mapped.
    pub backing: Backing,
    /// Which file, where the model has one.
    pub file: Option<FileMap>,
    /// Orders of large folios below the size of a huge page that may be faulted in, a bit each (v6.8).
    pub anon_orders: u32,
    /// In the mm's tree. Under the mmap lock.
    pub attached: Plain<bool>,
    /// In its mm's anon_vma, and those of its ancestors, where an rmap walk finds it. Under that lock; atomic, so that a kernel without the lock
    /// shows what comes of a walk that went astray, and not only that the tree is torn.
    pub in_anon_vma: Atomic<bool>,
    /// Where hardware walks its tables: whoever uses what it has cached of them, until a flush.
    pub translations: Option<Section>,
    /// Its own lock, where somebody uses it.
    pub lock: Option<VmaLock>,
}

/// `vm_lock` and `vm_lock_seq`: an area's own lock, which one holds for reading only, and what says that it is held for writing.
#[derive(Clone, Copy, Debug)]
pub struct VmaLock {
    /// Held for reading by whoever works in the area, and for writing for a moment.
    pub rwsem: RwLock,
    /// The mm's sequence when the area was locked for writing last.
    pub seq: Atomic<u32>,
}

impl Vma {
    /// Whether `addr` lies in it.
    pub const fn contains(&self, addr: u64) -> bool {
        self.start <= addr && addr < self.end
    }

    /// `linear_page_index`: which page of its file, or place of its anon_vma, is at an address in it.
    pub const fn index_of(&self, addr: u64) -> u64 {
        self.pgoff + (addr - self.start) / PAGE_SIZE
    }

    /// `vma_address`: where it maps these pages of its file, as far as it does.
    pub fn addresses_of(&self, pages: Range<u64>) -> Option<Range<u64>> {
        let mapped = self.pgoff..self.pgoff + (self.end - self.start) / PAGE_SIZE;
        let (first, behind) = (pages.start.max(mapped.start), pages.end.min(mapped.end));
        let address = |index| self.start + (index - self.pgoff) * PAGE_SIZE;
        (first < behind).then(|| address(first)..address(behind))
    }
}
