//! A page moves to another frame: isolate, unmap, decide, move, map again.
//!
//! # How it decides
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
//! # What happens when a walker comes
//!
//! 1. before the entry is exchanged: its pin makes the unmap fail, or the count is not the expected one, and nothing moves;
//! 2. between the exchange and the decision: its reference may make that fail; its recheck fails;
//! 3. while the count is frozen: it is refused the reference (P11);
//! 4. after the old folio is free, with an old entry in hand: it gets a reference of the next life, and its
//!    recheck fails; dropping that reference may free the page for its new owner (R12 iii, R30).
//!
//! The contents are copied once that is decided, and of the flags those that somebody asks for.
//!
//! Whoever had a reference, wrote, and dropped it before the look is the last to have written. Nothing orders the copy after the
//! look (docs/findings.md, F7).

use super::rmap::{By, remove_migration_ptes, try_to_migrate};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Owner, PageFlags, Pfn, alloc_folio, clear_page_flags, folio_get, folio_mapped,
    folio_put, folio_ref_count_is, set_page_flags, test_and_clear_page_flag,
};
use crate::lkmm::{atomic_add_unless, read_once, write_once};
use crate::mm::page_copy_anon;
use crate::step::Step;
use crate::swap::replace_in_swap_cache;
use crate::sync::RmwOrder;

/// Compaction's way with the small anonymous page in `pfn`: isolates it, migrates it, and puts it back if it could not be
/// moved. The frame that it moved to, or `None`.
pub fn migrate_page<'m>(cpu: &Cpu<'m>, pfn: Pfn) -> Option<Folio<'m>> {
    let _span = cpu.span("migrate_pages");
    let old = isolate(cpu, pfn, false)?;
    // migrate_folio_unmap
    if folio_ref_count_is(cpu, old, 1) {
        // It was freed under our hands, but for the isolation's reference.
        folio_put(cpu, old);
        return None;
    }
    let moved = alloc_folio(cpu, 0, Owner::Us).filter(|&new| unmap_and_move(cpu, old, new));
    if moved.is_none() {
        // putback_movable_pages
        set_page_flags(cpu, old.head(), PageFlags::LRU);
        folio_put(cpu, old);
    }
    moved
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
    // Large folios, which the kernel migrates as well, have a way of their own here (`migrate_huge`).
    if folio.test(cpu, PageFlags::HEAD) != large
        || !test_and_clear_page_flag(cpu, page, PageFlags::LRU)
    {
        folio_put(cpu, folio);
        return None;
    }
    Some(folio)
}

/// `migrate_folio_unmap` and `migrate_folio_move`: whether the folio moved. If not, `new` is free again.
fn unmap_and_move<'m>(cpu: &Cpu<'m>, old: Folio<'m>, new: Folio<'m>) -> bool {
    if !old.trylock(cpu) {
        folio_put(cpu, new);
        return false;
    }
    if !new.trylock(cpu) {
        old.unlock(cpu);
        folio_put(cpu, new);
        return false;
    }
    if !cpu.does(Step::MigrateCopiesLast) {
        copy_contents(cpu, old, new);
    }
    let was_mapped = folio_mapped(cpu, old);
    if was_mapped {
        try_to_migrate(cpu, old, By::Migration);
    }
    let moved = !folio_mapped(cpu, old) && folio_migrate_mapping(cpu, old, new);
    if moved {
        // folio_add_lru
        set_page_flags(cpu, new.head(), PageFlags::LRU);
    }
    if was_mapped {
        remove_migration_ptes(cpu, old, if moved { new } else { old }, false);
    }
    if moved {
        new.unlock(cpu);
        folio_put(cpu, new);
        old.unlock(cpu);
        folio_put(cpu, old);
    } else {
        old.unlock(cpu);
        new.unlock(cpu);
        folio_put(cpu, new);
    }
    moved
}

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
pub(super) fn folio_migrate_copy(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    // ORDERING: none, and none before (docs/findings.md, F7). A kernel that copies as soon as it has the lock has done so. Step
    // `migrate-copies-last`.
    if cpu.does(Step::MigrateCopiesLast) {
        copy_contents(cpu, old, new);
    }
}

/// `folio_copy`.
pub(super) fn copy_contents(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    let contents = read_once(cpu, old.head().contents);
    write_once(cpu, new.head().contents, contents);
}
