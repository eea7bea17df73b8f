//! An area of an address space, as whoever set it up knows it.

use crate::machine::MmId;

/// An area of an address space, as scenarios pass it around.
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
    /// Its length in pages, as GUP counts them.
    pub pages: i32,
}
