//! Something that is mapped when the CPUs start.

use crate::machine::MmId;
use crate::types::Pfn;

/// Something that is mapped when the CPUs start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The address space.
    pub mm: MmId,
    /// The first address that the entry maps.
    pub addr: u64,
    /// The head of the folio that it maps.
    pub pfn: Pfn,
}
