//! An address space.

use super::{AnonVma, BlockLink, Pfn, Vma};
use crate::sync::{Atomic, Plain, RwLock};

/// `mm_struct`.
#[derive(Debug)]
pub struct Mm {
    /// The frame of the root table.
    pub pgd: Pfn,
    /// `mmap_lock`.
    pub mmap_lock: RwLock,
    /// `mm_lock_seq`: moves when the mmap lock, held for writing, is dropped. Where an area has a lock of its own.
    pub lock_seq: Option<Atomic<u32>>,
    /// `write_protect_seq`: odd while fork copies page tables.
    pub write_protect_seq: Atomic<u32>,
    /// `MMF_HAS_PINNED`.
    pub has_pinned: Atomic<bool>,
    /// `MMF_HUGE_ZERO_PAGE`: it has a reference of the huge zero page, until it ends.
    pub huge_zero: Atomic<bool>,
    /// `mm_users`: who uses it. Two, unless boot says otherwise.
    pub users: Atomic<i32>,
    /// The areas, by address. Which of them still exist is each area's own affair.
    pub vmas: Vec<Vma>,
    /// The anon_vma of its areas.
    pub anon_vma: AnonVma,
    /// `pmd_huge_pte`: tables deposited for huge mappings, the newest first. Under the pmd lock.
    pub deposited: [Plain<BlockLink>; 2],
    /// `tlb_flush_batched`: flushes of it that were put off (the low half), and how many of these somebody made up for (the
    /// high half).
    pub tlb_flush_batched: Atomic<i32>,
    /// `tlb_flush_pending`: how many change entries, and have not flushed yet. Of an mm that hardware may walk, or of which an area's
    /// protection may change.
    pub tlb_flush_pending: Option<Atomic<i32>>,
}
