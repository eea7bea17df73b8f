//! How a collapse ends, and what khugepaged counts on its way to that.
//!
//! `MADV_COLLAPSE` counts nothing: it collapses what it can. khugepaged has limits, so that it does not make a huge page of what is
//! hardly used; they decide when a collapse gives up, and so what it has to put back, and nothing else.

use crate::cpu::Cpu;
use crate::mm::{VmFlags, Vma};

/// `enum scan_result`: how a collapse ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// `SCAN_SUCCEED`.
    Succeed,
    /// `SCAN_VMA_NULL`: the area is gone.
    VmaNull,
    /// `SCAN_VMA_CHECK`: the area is not anonymous.
    VmaCheck,
    /// `SCAN_ADDRESS_RANGE`: the area does not hold all that a pmd maps.
    AddressRange,
    /// `SCAN_PMD_NULL`: there is no pmd, or no table under it, though no huge page of ordinary memory either.
    PmdNull,
    /// `SCAN_PMD_NONE`: nothing was ever mapped there.
    PmdNone,
    /// `SCAN_PMD_MAPPED`: it is a huge page already.
    PmdMapped,
    /// `SCAN_PTE_NON_PRESENT`.
    PteNonPresent,
    /// `SCAN_PTE_UFFD_WP`: write-protected for a userfaultfd.
    PteUffdWp,
    /// `SCAN_EXCEED_NONE_PTE`: too few entries map a page.
    ExceedNonePte,
    /// `SCAN_EXCEED_SHARED_PTE`: too many pages are mapped by others, too.
    ExceedSharedPte,
    /// `SCAN_PAGE_NULL`: an entry from which no struct page may be derived.
    PageNull,
    /// `SCAN_PAGE_RO`: not one of the pages is writable.
    PageRo,
    /// `SCAN_LACK_REFERENCED_PAGE`: not one of the pages was used lately.
    LackReferencedPage,
    /// `SCAN_PAGE_COMPOUND`: part of a large folio. The kernel collapses some of those; the model none.
    PageCompound,
    /// `SCAN_PAGE_LOCK`.
    PageLock,
    /// `SCAN_PAGE_COUNT`: somebody holds a reference.
    PageCount,
    /// `SCAN_DEL_PAGE_LRU`: somebody else isolated it.
    DelPageLru,
    /// `SCAN_ALLOC_HUGE_PAGE_FAIL`.
    AllocHugePageFail,
    /// `SCAN_COPY_MC`: a page cannot be read, its memory being broken.
    CopyMc,
}

impl Scan {
    /// Its name, as khugepaged's tracepoints have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeed => "succeeded",
            Self::VmaNull => "vma_null",
            Self::VmaCheck => "vma_check",
            Self::AddressRange => "address_range",
            Self::PmdNull => "pmd_null",
            Self::PmdNone => "pmd_none",
            Self::PmdMapped => "page_pmd_mapped",
            Self::PteNonPresent => "pte_non_present",
            Self::PteUffdWp => "pte_uffd_wp",
            Self::ExceedNonePte => "exceed_none_pte",
            Self::ExceedSharedPte => "exceed_shared_pte",
            Self::PageNull => "page_null",
            Self::PageRo => "no_writable_page",
            Self::LackReferencedPage => "lack_referenced_page",
            Self::PageCompound => "page_compound",
            Self::PageLock => "page_locked",
            Self::PageCount => "page_count",
            Self::DelPageLru => "could_not_delete_page_from_lru",
            Self::AllocHugePageFail => "alloc_huge_page_failed",
            Self::CopyMc => "copy_poisoned_page",
        }
    }
}

/// What is counted on the way: for khugepaged, which has limits, and not for `MADV_COLLAPSE`.
pub(super) struct Tally {
    watched: bool,
    none_or_zero: u32,
    shared: u32,
    pub(super) referenced: bool,
    pub(super) writable: bool,
}

impl Tally {
    pub(super) const fn new(area: &Vma) -> Self {
        Self {
            watched: area.flags.contains(VmFlags::UFFD_WP),
            none_or_zero: 0,
            shared: 0,
            referenced: false,
            writable: false,
        }
    }

    /// An entry that maps no page that is counted.
    pub(super) fn none_or_zero(&mut self, cpu: &Cpu<'_>) -> Scan {
        self.none_or_zero += 1;
        let limits = cpu.machine().khugepaged;
        let few = limits.is_none_or(|limits| self.none_or_zero <= limits.max_ptes_none);
        // userfaultfd_armed
        if few && !self.watched {
            Scan::Succeed
        } else {
            Scan::ExceedNonePte
        }
    }

    /// A page that is mapped more than once.
    pub(super) fn shared(&mut self, cpu: &Cpu<'_>) -> Scan {
        self.shared += 1;
        let limits = cpu.machine().khugepaged;
        if limits.is_none_or(|limits| self.shared <= limits.max_ptes_shared) {
            Scan::Succeed
        } else {
            Scan::ExceedSharedPte
        }
    }

    /// Once all are isolated.
    pub(super) fn verdict(&self, cpu: &Cpu<'_>) -> Scan {
        if !self.writable {
            Scan::PageRo
        } else if cpu.machine().khugepaged.is_some() && !self.referenced {
            Scan::LackReferencedPage
        } else {
            Scan::Succeed
        }
    }
}
