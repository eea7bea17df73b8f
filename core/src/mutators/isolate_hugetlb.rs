//! hugetlb's pages are isolated in their own way, and move nowhere: `isolate_hugetlb`, `migrate_hugetlbs`.
//!
//! They are on no LRU. A mark says that one is in use and may be moved; whoever clears it has isolated the page. The mark changes under the
//! lock that keeps hugetlb's lists, which are not modelled. To move one takes a huge page, and there is none: neither in the pool, nor in
//! the allocator's lists in one piece. So all that is isolated is put back, and nothing else moves either, for hugetlb's pages are
//! tried first.

use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::folio::{
    Folio, PageFlags, clear_page_flags, folio_put, folio_ref_count_is, folio_ref_try_add,
    set_page_flags,
};

/// `isolate_hugetlb`: whether the folio is hugetlb's still, nobody else has isolated it, and it was not being freed. Then there is a
/// reference of the isolation's.
pub fn isolate_hugetlb(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("isolate_hugetlb");
    hugetlb_locked(cpu, || {
        let isolated = folio.test(cpu, PageFlags::HUGETLB)
            && folio.test(cpu, PageFlags::MIGRATABLE)
            && folio_ref_try_add(cpu, folio, 1);
        if isolated {
            clear_page_flags(cpu, folio.head(), PageFlags::MIGRATABLE);
        }
        isolated
    })
}

/// What is done under `hugetlb_lock`, with interrupts off.
fn hugetlb_locked<R>(cpu: &Cpu<'_>, work: impl FnOnce() -> R) -> R {
    let lock = cpu.machine().hugetlb;
    let lock = lock.expect("a machine with a page of hugetlb's");
    local_irq_save(cpu);
    lock.lock(cpu);
    let result = work();
    lock.unlock(cpu);
    local_irq_restore(cpu);
    result
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
        hugetlb_locked(cpu, || {
            set_page_flags(cpu, folio.head(), PageFlags::MIGRATABLE);
        });
        folio_put(cpu, folio);
    }
    free
}
