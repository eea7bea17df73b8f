//! GUP's flags.

use bitflags::bitflags;

bitflags! {
    /// `FOLL_*`. The values are those of v6.6 and v6.8, which agree; nothing depends on them. Two flags and a rule have
    /// another version: it is said where they are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Foll: u32 {
        /// The pages will be written.
        const WRITE = 1 << 0;
        /// Take a reference of each page.
        const GET = 1 << 1;
        /// Fail on holes and special pages: core dumps.
        const DUMP = 1 << 2;
        /// Ignore the area's protection where `VM_MAY*` allows: ptrace.
        const FORCE = 1 << 3;
        /// Do not wait for I/O.
        const NOWAIT = 1 << 4;
        /// Do not fault pages in.
        const NOFAULT = 1 << 5;
        /// Tell of poisoned pages.
        const HWPOISON = 1 << 6;
        /// Anonymous memory only.
        const ANON = 1 << 7;
        /// The pages will be held indefinitely.
        const LONGTERM = 1 << 8;
        /// Split huge pmds.
        const SPLIT_PMD = 1 << 9;
        /// Peer-to-peer DMA pages are welcome.
        const PCI_P2PDMA = 1 << 10;
        /// Any signal may interrupt.
        const INTERRUPTIBLE = 1 << 11;
        /// NUMA hinting faults must be taken.
        const HONOR_NUMA_FAULT = 1 << 12;
        /// This call has made a copy where nobody may write. Internal, and of v4.9 to v5.19: later ones have no such flag.
        const COW = 1 << 14;
        /// Mark pages accessed. Internal.
        const TOUCH = 1 << 16;
        /// A retry, the lock having been dropped once. Internal.
        const TRIED = 1 << 17;
        /// Not the current task's mm. Internal.
        const REMOTE = 1 << 18;
        /// Pin each page. Internal.
        const PIN = 1 << 19;
        /// Do not fall back to the slow path. Internal.
        const FAST_ONLY = 1 << 20;
        /// The mmap lock may be dropped. Internal.
        const UNLOCKABLE = 1 << 21;
        /// `MADV_POPULATE_*`. Internal, and v6.9's: earlier ones have no such flag.
        const MADV_POPULATE = 1 << 22;
    }
}

impl Foll {
    /// What `is_valid_gup_args` of v6.6 refuses: not for callers to set.
    pub const INTERNAL_V6_6: Self = Self::TRIED
        .union(Self::REMOTE)
        .union(Self::PIN)
        .union(Self::FAST_ONLY)
        .union(Self::UNLOCKABLE);

    /// `INTERNAL_GUP_FLAGS` of v6.8. What is added was refused by the fast path before, among all that it does not know:
    /// with the same error.
    pub const INTERNAL: Self = Self::INTERNAL_V6_6.union(Self::TOUCH);

    /// Those that the fast path's common entry takes; any other is `-EINVAL`.
    pub const FAST: Self = Self::WRITE
        .union(Self::LONGTERM)
        .union(Self::FORCE)
        .union(Self::PIN)
        .union(Self::GET)
        .union(Self::FAST_ONLY)
        .union(Self::NOFAULT)
        .union(Self::PCI_P2PDMA)
        .union(Self::HONOR_NUMA_FAULT);
}
