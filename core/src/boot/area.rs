//! An area of an address space, as whoever set it up knows it.

use crate::machine::MmId;
use crate::types::PAGE_SIZE;

/// An area of an address space, as scenarios pass it around; or a part of one.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// The address space.
    pub mm: MmId,
    /// Which of its areas.
    pub vma: usize,
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// Its length in pages: an `int`, as the kernel's GUP functions take it (and check it), so that it is handed to them as it
    /// is. *Which* page is a `u32` everywhere, as in [`addr`](Self::addr); how many a `build` wants, too.
    pub pages: i32,
}

impl Area {
    /// The address of its `nth` page, from 0.
    pub const fn addr(self, nth: u32) -> u64 {
        self.start + nth as u64 * PAGE_SIZE
    }

    /// Its first pages: so many.
    #[must_use]
    pub const fn first(self, pages: u32) -> Self {
        Self {
            end: self.addr(pages),
            pages: pages as i32,
            ..self
        }
    }

    /// Its last pages: so many.
    #[must_use]
    pub const fn last(self, pages: u32) -> Self {
        Self {
            start: self.end - pages as u64 * PAGE_SIZE,
            pages: pages as i32,
            ..self
        }
    }
}
