//! What moves with a folio: its place in the swap cache, its contents, its place in the queue of those to split.
//!
//! # How it is decided
//!
//! Once every mapping has become a migration entry, the folio must have no reference but the migration's own. Of anonymous
//! memory outside the swap cache the count is *looked at*, and nothing is written. That is enough, because of what
//! came just before. Between the exchange of the entry and the look the map count went down, which is a full barrier: either
//! the look sees the walker's reference, or the walker's recheck sees the exchange. And the last mapping's reference was
//! dropped, in the very same word, which would do by itself: a walker that takes its reference before that drop is in the
//! count that is looked at; one that takes it after has acquired the exchange with it. (Of an exclusive page
//! `page_try_share_anon_rmap` has two full barriers more, and each would do, too.) Of a folio in the swap cache, which others may
//! find without any mapping, the count is *frozen*.
//!
//! The contents are copied once that is decided, and of the flags those that somebody asks for.
//!
//! Whoever had a reference, wrote, and dropped it before the look is the last to have written. Nothing orders the copy after the
//! look (docs/findings.md, F7).

use crate::cpu::Cpu;
use crate::folio::{
    Deferred, Folio, PageFlags, clear_page_flags, copy_contents, folio_ref_count_is,
    queue_whole_folio, split_queue_locked, split_queue_remove,
};
use crate::lkmm::read_once_is;
use crate::mm::page_copy_anon;
use crate::step::Step;
use crate::swap::replace_in_swap_cache;

/// `folio_migrate_mapping`, of an anonymous folio that is mapped nowhere: whether nobody else had a reference, and `new`
/// is now what `old` was.
pub(super) fn folio_migrate_mapping<'m>(cpu: &Cpu<'m>, old: Folio<'m>, new: Folio<'m>) -> bool {
    let _span = cpu.span("folio_migrate_mapping");
    if !old.test(cpu, PageFlags::SWAP_CACHE) {
        // ORDERING: none here: since the entry was exchanged the map count went down, and the mapping's reference, in this very
        // word, was dropped: two full barriers, of which one will do (scenarios/pte-clear/tests/look.rs). Pairs with
        // pin-barrier (P12). Steps `rmap-ordered`, `put-ordered`.
        let alone = folio_ref_count_is(cpu, old, 1);
        if alone {
            page_copy_anon(cpu, new.head(), old, 0);
            folio_migrate_copy(cpu, old, new);
        }
        return alone;
    }
    let moved = replace_in_swap_cache(cpu, old, new, || {
        page_copy_anon(cpu, new.head(), old, 0);
    });
    if moved {
        folio_migrate_copy(cpu, old, new);
        // folio_migrate_flags
        clear_page_flags(cpu, old.head(), PageFlags::SWAP_CACHE);
    }
    moved
}

/// `folio_migrate_copy`.
fn folio_migrate_copy(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    // ORDERING: none, and none before (docs/findings.md, F7). A kernel that copies as soon as it has the lock has done so. Step
    // `migrate-copies-last`.
    if cpu.does(Step::MigrateCopiesLast) {
        folio_copy(cpu, old, new);
    }
}

/// `folio_copy`: of every page.
pub(super) fn folio_copy(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    let pages = if cpu.machine().large_folios {
        old.nr_pages(cpu)
    } else {
        1
    };
    for n in 0..pages {
        let page = |folio: Folio<'_>| cpu.machine().page(folio.head().pfn.plus(n));
        copy_contents(cpu, page(old), page(new));
    }
}

/// A large folio that is to be split, and moved meanwhile: the new one is queued in its place. Not in v6.6 and v6.8, where that is
/// forgotten.
pub(super) struct Requeue<'m> {
    new: Folio<'m>,
    due: bool,
}

impl<'m> Requeue<'m> {
    /// Takes `old` out of the queue.
    pub(super) fn take(cpu: &Cpu<'m>, old: Folio<'m>, new: Folio<'m>) -> Self {
        let due = cpu.machine().large_folios
            && old.test(cpu, PageFlags::HEAD)
            && split_queue_locked(cpu, || unqueue_whole(cpu, old));
        Self { new, due }
    }

    /// Before the mappings come back: before anybody can unmap a part of the new folio, who would say more of it than is said
    /// here. Without it: K9. Step `requeue-before-visible`.
    pub(super) fn before_visible(&mut self, cpu: &Cpu<'m>) {
        if self.due && cpu.does(Step::RequeueBeforeVisible) {
            self.done(cpu);
        }
    }

    /// After that, at the latest.
    pub(super) fn done(&mut self, cpu: &Cpu<'m>) {
        if std::mem::take(&mut self.due) {
            queue_whole_folio(cpu, self.new);
        }
    }
}

/// Under the queue's lock: takes a folio out that was queued while it was mapped as a whole. Whether it was.
fn unqueue_whole(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let head = folio.head();
    let whole = !read_once_is(cpu, head.deferred, Deferred::No)
        && read_once_is(cpu, head.partially_mapped, false);
    if whole {
        split_queue_remove(cpu, folio);
    }
    whole
}
