//! What a page fault is asked for, and how it ends.

use bitflags::bitflags;

bitflags! {
    /// `FAULT_FLAG_*`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct FaultFlags: u32 {
        /// A write.
        const WRITE = 1 << 0;
        /// Break copy-on-write for a reader that will pin.
        const UNSHARE = 1 << 1;
        /// The mmap lock may be dropped for a wait, and then the fault begins anew.
        const ALLOW_RETRY = 1 << 2;
        /// Where the lock might be dropped, give up instead; it stays held.
        const RETRY_NOWAIT = 1 << 3;
        /// The lock was dropped once for this fault.
        const TRIED = 1 << 4;
        /// A fatal signal ends a wait.
        const KILLABLE = 1 << 5;
        /// Any signal ends a wait.
        const INTERRUPTIBLE = 1 << 6;
        /// Not the current task's mm.
        const REMOTE = 1 << 7;
    }
}

impl FaultFlags {
    /// `fault_flag_allow_retry_first`: only the first try drops the lock; the second waits with the lock held.
    pub const fn allow_retry_first(self) -> bool {
        self.contains(Self::ALLOW_RETRY) && !self.contains(Self::TRIED)
    }
}

/// `vm_fault_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmFault {
    /// Handled, or somebody else changed the entry: look again.
    Done,
    /// `VM_FAULT_OOM`.
    Oom,
    /// `VM_FAULT_SIGBUS`, `VM_FAULT_SIGSEGV`.
    Sigbus,
    /// `VM_FAULT_RETRY`: nothing was done. The mmap lock is dropped, unless `FAULT_FLAG_RETRY_NOWAIT` was given.
    Retry,
    /// `VM_FAULT_COMPLETED`: handled, and the mmap lock is dropped.
    Completed,
    /// `VM_FAULT_HWPOISON`: memory has failed under the page.
    Hwpoison,
}
