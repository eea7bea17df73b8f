//! Flushes that are under way: `tlb_flush_pending`.
//!
//! # The rules
//!
//! 1. Whoever changes entries and flushes once at the end (`mmu_gather`) says so in the mm before the first entry, and takes it back
//!    after the flush. Between the two an entry is not what hardware uses.
//! 2. Whoever comes to such an entry and acts on what it says now, asks the mm first, having had the lock of the entry's table:
//!    - another who gathers, at his end: if he was not alone he flushes all, though he may have found nothing to do himself
//!      (99baac21e458);
//!    - who takes a prot-none entry away, and would not flush, because hardware has none of it (20841405940e);
//!    - who copies a page that must not be written to, in an area of a userfaultfd's (6ce64428d62a).
//!
//! # What it orders
//!
//! The count is raised before the lock is taken under which the entry changes: who finds the changed entry under that lock finds
//! the count. It goes down after the flush, which is a full barrier wherever there are translations: who finds it down comes after
//! the flush.
//!
//! Who walks in software reads entries, and has no part in this but that a flush may wait for it. So only an mm that hardware may
//! walk, or of which the protection changes, has the count.

use super::Cpu;
use crate::lkmm::{atomic_add, read_once, read_once_is_below};
use crate::step::Step;
use crate::types::{Entry, Mm};

/// `inc_tlb_flush_pending`.
#[track_caller]
pub fn inc_tlb_flush_pending(cpu: &Cpu<'_>, mm: &Mm) {
    if let Some(pending) = mm.tlb_flush_pending {
        atomic_add(cpu, pending, 1);
    }
}

/// `dec_tlb_flush_pending`.
#[track_caller]
pub fn dec_tlb_flush_pending(cpu: &Cpu<'_>, mm: &Mm) {
    if let Some(pending) = mm.tlb_flush_pending {
        atomic_add(cpu, pending, -1);
    }
}

/// `mm_tlb_flush_pending`: whether somebody has changed entries, and not flushed yet.
#[track_caller]
pub fn mm_tlb_flush_pending(cpu: &Cpu<'_>, mm: &Mm) -> bool {
    (mm.tlb_flush_pending).is_some_and(|pending| read_once(cpu, pending) != 0)
}

/// `mm_tlb_flush_nested`: whether somebody beside the one who asks does.
#[track_caller]
pub fn mm_tlb_flush_nested(cpu: &Cpu<'_>, mm: &Mm) -> bool {
    // ORDERING: the page-table lock's: whoever changed an entry raised the count before he took it, and who found the entry had it
    // after him. Pairs with inc_tlb_flush_pending. Without it: R54. Step `nested-flush`.
    cpu.does(Step::NestedFlush)
        && (mm.tlb_flush_pending).is_some_and(|pending| !read_once_is_below(cpu, pending, 2))
}

/// `pte_accessible`, under the lock, of an entry that was taken away: whether hardware may have a translation by it. (Generic code
/// has no such question, and flushes always.)
#[track_caller]
pub fn pte_accessible(cpu: &Cpu<'_>, mm: &Mm, pte: Entry) -> bool {
    // ORDERING: the page-table lock's, as above: who made the entry prot-none raised the count before that. Pairs with
    // change_prot_numa. Without it: R45, R54. Step `accessible-while-pending`.
    pte.access_permitted(false)
        || cpu.does(Step::AccessibleWhilePending)
            && pte.is_prot_none()
            && mm_tlb_flush_pending(cpu, mm)
}
