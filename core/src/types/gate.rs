//! The gate area.

use super::Pfn;

/// The gate area: one page of the kernel's own that user space may use, and that no area of an address space tells of. x86-64's
/// page of vsyscalls lies above all user space, and so does arm's of helpers; user-mode Linux has one below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The address of its page.
    pub start: u64,
    /// The page. Nobody frees it, and nobody counts who maps it.
    pub page: Pfn,
    /// `init_mm`, by its number: whose tables map the kernel's own addresses.
    pub init_mm: u32,
}
