//! hugetlb's pages are isolated in their own way, and move nowhere: `isolate_hugetlb`, `migrate_hugetlbs`.
//!
//! They are on no LRU. A mark says that one is in use and may be moved; whoever clears it has isolated the page. To move one takes a huge
//! page, and there is none: neither in the pool, nor in the allocator's lists in one piece. So all that is isolated is put back, and
//! nothing else moves either, for hugetlb's pages are tried first.

use crate::cpu::Cpu;
use crate::folio::{
    Folio, PageFlags, folio_get, folio_put, folio_ref_count_is, set_page_flags,
    test_and_clear_page_flag,
};

/// `isolate_hugetlb`, of a folio that the caller has a reference of: whether nobody else has isolated it. Then there is a reference
/// of the isolation's.
pub fn isolate_hugetlb(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("isolate_hugetlb");
    let was_there = test_and_clear_page_flag(cpu, folio.head(), PageFlags::MIGRATABLE);
    if was_there {
        folio_get(cpu, folio);
    }
    was_there
}

/// `migrate_hugetlbs`, without memory: puts all back. Whether that is a success: nobody had any of them but the isolation.
pub fn migrate_hugetlbs(cpu: &Cpu<'_>, isolated: &[Folio<'_>]) -> bool {
    if isolated.is_empty() {
        return true;
    }
    let _span = cpu.span("migrate_hugetlbs");
    let mut free = true;
    for &folio in isolated {
        free &= folio_ref_count_is(cpu, folio, 1);
        // folio_putback_active_hugetlb
        set_page_flags(cpu, folio.head(), PageFlags::MIGRATABLE);
        folio_put(cpu, folio);
    }
    free
}
