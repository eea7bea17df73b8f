//! A page moves to another frame, or a huge page to other frames: isolate, unmap, decide, move, map again.
//!
//! # The order, of one folio
//!
//! 1. There must be a new folio, of the same size, and both are locked. Where there is no memory for it the kernel splits a large
//!    folio and moves its pages; here it stays where it is.
//! 2. All mappings become migration entries: PTEs, or pmds, which become pmd migration entries. A page that may be pinned stops that.
//! 3. It is decided whether somebody has a reference ([`folio_migrate`](super)); if not, the new folio takes the old one's place.
//! 4. The new folio is on the LRU, and then its mappings come back. Both are unlocked, and the old one's last reference is dropped.
//! 5. What fails at 2 or 3 is undone: the old folio's mappings come back, it is unlocked, and the new one is free again.
//!
//! # What happens when a walker comes
//!
//! 1. before the entry is exchanged: its pin makes the unmap fail, or the count is not the expected one, and nothing moves;
//! 2. between the exchange and the decision: its reference may make that fail; its recheck fails;
//! 3. while the count is frozen: it is refused the reference (P11);
//! 4. after the old folio is free, with an old entry in hand: it gets a reference of the next life, and its
//!    recheck fails; dropping that reference may free the page for its new owner (R12 iii, R30).
//!
//! The pins of a large folio are in a word of their own, which the unmapping looks at (`page_try_share_anon_rmap`); the references, a pin's as
//! well, are looked at once all mappings are gone. Between its reference and its pin the walker is in the one and not in the other (R36). Then
//! the unmapping sees no pin and goes on; the walker's recheck of the pmd fails, because its pin, and the barrier behind it, come
//! before that; and if it has not dropped its reference by then, the folio does not move.

use super::folio_migrate::{Requeue, folio_copy, folio_migrate_mapping};
use super::rmap::{By, remove_migration_ptes, try_to_migrate};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Owner, PageFlags, Pfn, alloc_folio, folio_get, folio_lock, folio_mapped, folio_put,
    folio_ref_count_is, set_page_flags, test_and_clear_page_flag,
};
use crate::lkmm::{atomic_add_unless, read_once};
use crate::step::Step;
use crate::sync::RmwOrder;

/// Compaction's way with the small anonymous page in `pfn`: isolates it, migrates it, and puts it back if it could not be
/// moved. The frame that it moved to, or `None`.
pub fn migrate_page<'m>(cpu: &Cpu<'m>, pfn: Pfn) -> Option<Folio<'m>> {
    migrate_alone(cpu, pfn, false)
}

/// The same of the large anonymous folio that `head` heads. The folio that it moved to, or `None`: it is where it was.
pub fn migrate_huge_page<'m>(cpu: &Cpu<'m>, head: Pfn) -> Option<Folio<'m>> {
    migrate_alone(cpu, head, true)
}

/// One folio, once: a lock that somebody has is not waited for, and each entry is flushed at once.
fn migrate_alone<'m>(cpu: &Cpu<'m>, pfn: Pfn, large: bool) -> Option<Folio<'m>> {
    let _span = cpu.span("migrate_pages");
    let old = isolate(cpu, pfn, large)?;
    match migrate_folio_unmap(cpu, old, By::Migration, false) {
        Unmap::Done(one) => {
            if migrate_folio_move(cpu, one) {
                return Some(one.new);
            }
            undo(cpu, one);
        }
        Unmap::Freed => return None,
        Unmap::Again | Unmap::NoMemory => {}
    }
    putback(cpu, old);
    None
}

/// `isolate_migratepages_block`, of one page: a reference, unless it is free, and off the LRU, unless it is not on it. A first
/// look, without a reference, decides nothing but that it is left alone. So is one that is not as `large` as its caller expects.
pub(super) fn isolate<'m>(cpu: &Cpu<'m>, pfn: Pfn, large: bool) -> Option<Folio<'m>> {
    let _span = cpu.span("isolate_migratepages_block");
    let page = cpu.machine().page(pfn);
    let folio = Folio::of(page);
    if !folio.test(cpu, PageFlags::LRU) {
        return None;
    }
    // folio_get_nontail_page: who found the page by its frame holds nothing that keeps it. Without it: R58. Step
    // `isolate-unless-zero`.
    if !cpu.does(Step::IsolateUnlessZero) {
        folio_get(cpu, folio);
    } else if !atomic_add_unless(cpu, page.refcount, 1, 0, RmwOrder::Full) {
        return None;
    }
    if folio.test(cpu, PageFlags::HEAD) != large
        || !test_and_clear_page_flag(cpu, page, PageFlags::LRU)
    {
        folio_put(cpu, folio);
        return None;
    }
    Some(folio)
}

/// `putback_movable_pages`, of one.
pub(super) fn putback(cpu: &Cpu<'_>, folio: Folio<'_>) {
    // folio_putback_lru
    set_page_flags(cpu, folio.head(), PageFlags::LRU);
    folio_put(cpu, folio);
}

/// A folio that is unmapped, and where it goes; both are locked.
#[derive(Clone, Copy)]
pub(super) struct Unmapped<'m> {
    pub(super) old: Folio<'m>,
    new: Folio<'m>,
    was_mapped: bool,
}

/// What came of unmapping one. What is not `Done` is as it was.
pub(super) enum Unmap<'m> {
    Done(Unmapped<'m>),
    /// It was free but for the isolation's reference, and is now.
    Freed,
    /// `-EAGAIN`.
    Again,
    /// `-ENOMEM`.
    NoMemory,
}

/// `migrate_folio_unmap`, of an isolated folio. A lock that somebody has is waited for if `wait`.
pub(super) fn migrate_folio_unmap<'m>(
    cpu: &Cpu<'m>,
    old: Folio<'m>,
    by: By,
    wait: bool,
) -> Unmap<'m> {
    let _span = cpu.span("migrate_folio_unmap");
    if folio_ref_count_is(cpu, old, 1) {
        folio_put(cpu, old);
        return Unmap::Freed;
    }
    let Some(new) = get_new_folio(cpu, old) else {
        return Unmap::NoMemory;
    };
    if !old.trylock(cpu) {
        if !wait {
            folio_put(cpu, new);
            return Unmap::Again;
        }
        folio_lock(cpu, old);
    }
    if !new.trylock(cpu) {
        old.unlock(cpu);
        folio_put(cpu, new);
        return Unmap::Again;
    }
    if !cpu.does(Step::MigrateCopiesLast) {
        folio_copy(cpu, old, new);
    }
    let was_mapped = folio_mapped(cpu, old);
    if was_mapped {
        try_to_migrate(cpu, old, by);
    }
    let one = Unmapped {
        old,
        new,
        was_mapped,
    };
    if folio_mapped(cpu, old) {
        undo(cpu, one);
        return Unmap::Again;
    }
    Unmap::Done(one)
}

/// `compaction_alloc`, `alloc_migration_target`: a folio of the same size.
fn get_new_folio<'m>(cpu: &Cpu<'m>, old: Folio<'m>) -> Option<Folio<'m>> {
    let large = cpu.machine().large_folios && old.test(cpu, PageFlags::HEAD);
    let order = if large {
        read_once(cpu, old.head().order)
    } else {
        0
    };
    alloc_folio(cpu, order, Owner::Us)
}

/// `migrate_folio_move`: whether it moved; if not, it is as it was.
pub(super) fn migrate_folio_move<'m>(cpu: &Cpu<'m>, one: Unmapped<'m>) -> bool {
    let _span = cpu.span("migrate_folio_move");
    let Unmapped {
        old,
        new,
        was_mapped,
    } = one;
    if !folio_migrate_mapping(cpu, old, new) {
        return false;
    }
    let mut requeue = Requeue::take(cpu, old, new);
    // folio_add_lru
    set_page_flags(cpu, new.head(), PageFlags::LRU);
    requeue.before_visible(cpu);
    if was_mapped {
        remove_migration_ptes(cpu, old, new, false);
    }
    requeue.done(cpu);
    new.unlock(cpu);
    folio_put(cpu, new);
    old.unlock(cpu);
    folio_put(cpu, old);
    true
}

/// `migrate_folio_undo_src` and `migrate_folio_undo_dst`: mapped and unlocked as it was; where it was to go is free.
pub(super) fn undo<'m>(cpu: &Cpu<'m>, one: Unmapped<'m>) {
    if one.was_mapped {
        remove_migration_ptes(cpu, one.old, one.old, false);
    }
    one.old.unlock(cpu);
    one.new.unlock(cpu);
    folio_put(cpu, one.new);
}
