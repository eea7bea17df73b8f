//! A secondary MMU: what a hypervisor, or a device, keeps of an address space beside the CPU's page tables.

use super::BlockLink;
use crate::sync::{Atomic, Plain, SpinLock};

/// KVM's, of a guest of one page, which lies at one address of its process.
#[derive(Debug)]
pub struct SecondaryMmu {
    /// The address space: an index into the machine's.
    pub mm: u32,
    /// `mmu_lock`.
    pub lock: SpinLock,
    /// `mmu_invalidate_in_progress`: how many invalidations are under way. Under the lock.
    pub in_progress: Plain<i32>,
    /// `mmu_invalidate_seq`: moves when an invalidation ends. Written under the lock.
    pub sequence: Atomic<u32>,
    /// The frame that the guest's page is mapped to. Under the lock.
    pub mapped: Plain<BlockLink>,
}
