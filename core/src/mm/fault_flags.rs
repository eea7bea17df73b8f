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
    /// `VM_FAULT_HWPOISON`: memory has failed under the page.
    Hwpoison,
}
