//! The anon-exclusive bit: this page is mapped by this process alone, so a pin of it may be reliable.
//!
//! # The protocol
//!
//! 1. A read-only pin looks at the bit *after* it has rechecked the entry; if it is clear, the pin is
//!    given up and the slow path unshares first.
//! 2. Whoever wants to share the page clears the entry, *then* looks for pins, and only then clears the
//!    bit. So either it sees the pin, or the pinner sees the entry gone or the bit clear.
//! 3. If the same entry is put back afterwards, the bit must have been seen clear before: a barrier.

use super::{
    Folio, Page, PageFlags, clear_page_flags, folio_dup_rmap_pmd, folio_maybe_dma_pinned,
    page_dup_rmap, set_page_flags,
};
use crate::cpu::Cpu;
use crate::lkmm::{read_once_has, smp_mb, smp_mb_after_atomic};
use crate::step::Step;

/// `PageAnonExclusive`.
#[track_caller]
pub fn page_anon_exclusive(cpu: &Cpu<'_>, page: &Page) -> bool {
    read_once_has(cpu, page.flags, PageFlags::ANON_EXCLUSIVE)
}

/// Whether a write may reuse the page, whoever else holds it, because it is this mm's alone.
#[track_caller]
pub fn page_is_reusable(cpu: &Cpu<'_>, page: &Page) -> bool {
    // Before v5.19 the count alone decided, which a pin raises. Without it: R40, R41, R43. Step `reuse-exclusive`.
    cpu.does(Step::ReuseExclusive) && page_anon_exclusive(cpu, page)
}

/// `SetPageAnonExclusive`.
#[track_caller]
pub fn set_page_anon_exclusive(cpu: &Cpu<'_>, page: &Page) {
    set_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE);
}

/// `page_try_share_anon_rmap`: gives up exclusivity of a page whose entry the caller has cleared;
/// `false` if the page may be pinned. (Since v6.8 `folio_try_share_anon_rmap_pte`.)
pub fn page_try_share_anon_rmap(cpu: &Cpu<'_>, folio: Folio<'_>, page: &Page) -> bool {
    let _span = cpu.span("page_try_share_anon_rmap");
    // ORDERING: full, between the cleared entry and the look at the pins. Pairs with pin-barrier (P12)
    // and pincount-barrier (P17). Without it, where neither the clear nor the flush orders anything: R03 A. (x86's
    // clear does, and arm64's flush, put off or not.) Step `peek-barrier`.
    if cpu.does(Step::PeekBarrier) {
        smp_mb(cpu);
    }
    if folio_maybe_dma_pinned(cpu, folio) {
        return false;
    }
    let cleared = clear_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE);
    // ORDERING: full, between the cleared bit and the entry that may be put back. Pairs with
    // exclusive-barrier (P22). Without it: R03 B. Step `share-barrier`.
    if cpu.does(Step::ShareBarrier) {
        smp_mb_after_atomic(cpu, cleared);
    }
    true
}

/// `page_try_dup_anon_rmap`: one more mapping of an anonymous page, by another mm, whose holder asks whether it
/// `needs_cow` for the sake of pins. Whether the page could be shared; where not, it is as it was, and wants to be copied.
#[track_caller]
pub fn page_try_dup_anon_rmap(
    cpu: &Cpu<'_>,
    page: &Page,
    needs_cow: impl FnOnce() -> bool,
) -> bool {
    let shared = give_up_exclusivity(cpu, page, needs_cow);
    if shared {
        page_dup_rmap(cpu, page);
    }
    shared
}

/// The same of an entry that maps all of a folio (since v6.8 `folio_try_dup_anon_rmap_pmd`).
#[track_caller]
pub fn folio_try_dup_anon_rmap_pmd(
    cpu: &Cpu<'_>,
    folio: Folio<'_>,
    needs_cow: impl FnOnce() -> bool,
) -> bool {
    let shared = give_up_exclusivity(cpu, folio.head(), needs_cow);
    if shared {
        folio_dup_rmap_pmd(cpu, folio);
    }
    shared
}

/// Whether the page is not exclusive any more.
#[track_caller]
fn give_up_exclusivity(cpu: &Cpu<'_>, page: &Page, needs_cow: impl FnOnce() -> bool) -> bool {
    if page_anon_exclusive(cpu, page) {
        if needs_cow() {
            return false;
        }
        clear_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE);
    }
    true
}
