//! A huge page moves to other frames, as a whole: what [`migrate_page`](super::migrate_page) does with a large folio.
//!
//! The order is the same as for a small page. Its mappings are pmds, which become pmd migration entries, unless the folio is mapped by
//! PTEs. The folio's pins are in a word of their own, which the unmapping looks at (`page_try_share_anon_rmap`); the references, a pin's as well,
//! are looked at once all mappings are gone.
//!
//! # What happens when a walker comes
//!
//! Between its reference and its pin the folio has a reference more, and no pin (R36). Then the unmapping sees no pin and goes on; the
//! walker's recheck of the pmd fails, because its pin, and the barrier behind it, come before that; and if it has not dropped its
//! reference by then, the folio does not move.
//!
//! Where there is no memory for the new folio, the kernel splits the old one and moves its pages; here it stays where it is.

use super::migrate::{copy_contents, folio_migrate_mapping, isolate};
use super::rmap::{By, remove_migration_ptes, try_to_migrate};
use crate::cpu::Cpu;
use crate::folio::{
    Deferred, Folio, Owner, PageFlags, Pfn, alloc_folio, folio_mapped, folio_put,
    folio_ref_count_is, queue_whole_folio, set_page_flags, split_queue_locked, split_queue_remove,
};
use crate::lkmm::{read_once, read_once_is};
use crate::step::Step;

/// Compaction's way with the large anonymous folio that `head` heads. The folio that it moved to, or `None`: it is where it was.
pub fn migrate_huge_page<'m>(cpu: &Cpu<'m>, head: Pfn) -> Option<Folio<'m>> {
    let _span = cpu.span("migrate_pages");
    let old = isolate(cpu, head, true)?;
    // migrate_folio_unmap
    if folio_ref_count_is(cpu, old, 1) {
        folio_put(cpu, old);
        return None;
    }
    let order = read_once(cpu, old.head().order);
    let moved = alloc_folio(cpu, order, Owner::Us).filter(|&new| unmap_and_move(cpu, old, new));
    if moved.is_none() {
        // putback_movable_pages
        set_page_flags(cpu, old.head(), PageFlags::LRU);
        folio_put(cpu, old);
    }
    moved
}

/// `folio_copy`, of all pages.
pub(super) fn copy_all(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    copy_contents(cpu, old, new);
    copy_tails(cpu, old, new);
}

/// The rest of `folio_copy`.
fn copy_tails(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    for n in 1..old.nr_pages(cpu) {
        let tail = |folio: Folio<'_>| Folio::of(cpu.machine().page(folio.head().pfn.plus(n)));
        copy_contents(cpu, tail(old), tail(new));
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
    let was_mapped = folio_mapped(cpu, old);
    if was_mapped {
        try_to_migrate(cpu, old, By::Migration);
    }
    let moved = !folio_mapped(cpu, old) && folio_migrate_mapping(cpu, old, new);
    // The new folio is queued to be split if the old one was; not in v6.6 and v6.8, where it is forgotten. Before anybody can unmap a part
    // of it, who would say more of it than is said here. Without it: K9. Step `requeue-before-visible`.
    let requeue_first = cpu.does(Step::RequeueBeforeVisible);
    let mut queued = false;
    if moved {
        copy_tails(cpu, old, new);
        queued = split_queue_locked(cpu, || unqueue_whole(cpu, old));
        set_page_flags(cpu, new.head(), PageFlags::LRU);
        if queued && requeue_first {
            queue_whole_folio(cpu, new);
        }
    }
    if was_mapped {
        remove_migration_ptes(cpu, old, if moved { new } else { old }, false);
    }
    if queued && !requeue_first {
        queue_whole_folio(cpu, new);
    }
    if moved {
        new.unlock(cpu);
        folio_put(cpu, new);
    }
    old.unlock(cpu);
    if moved {
        folio_put(cpu, old);
    } else {
        new.unlock(cpu);
        folio_put(cpu, new);
    }
    moved
}
