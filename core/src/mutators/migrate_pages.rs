//! Many pages move at once, or one by one: `migrate_pages`, asynchronous and synchronous.
//!
//! # The order
//!
//! 1. All are isolated. What cannot be is left alone.
//! 2. *Asynchronous.* Each is locked, if the lock is free, and unmapped, with the flush put off; what fails is tried again, up to a
//!    number of passes. Then one flush for all. Then each is moved, if nobody else has a reference; what fails is
//!    tried again. In the end what is still unmapped gets its mappings back.
//! 3. *Synchronous.* First all, as in 2. What is left is taken one by one, with waiting for locks, and a flush for each entry.
//! 4. Where there is no memory for a new page, what is unmapped by then is moved, with as many tries as in 2, and that is all: nothing
//!    more is unmapped, and nothing is tried synchronously.
//! 5. What did not move is put back on the LRU.
//!
//! Nobody waits for a lock while he has a second page unmapped: two who do so could wait for each other.
//!
//! # What happens when a walker comes
//!
//! As in [`migrate`](super). Between the unmapping and the flush a stale translation is used as before; the contents are copied after
//! the flush.

use super::migrate::{
    Unmap, Unmapped, isolate, migrate_folio_move, migrate_folio_unmap, putback, undo,
};
use super::rmap::By;
use crate::cpu::{Cpu, try_to_unmap_flush};
use crate::folio::{Folio, PageFlags, Pfn, folio_get, test_and_clear_page_flag};
use crate::step::Step;
use arrayvec::ArrayVec;

/// How many folios one call takes; more than any scenario moves at once.
const BATCH: usize = 16;

/// How often what failed is tried. (Ten times in the kernel, three of them and seven where it is synchronous: a third time is the
/// second again.)
const PASSES: usize = 2;

/// Folios that are off the LRU, each with a reference of whoever isolated it.
pub type Folios<'m> = ArrayVec<Folio<'m>, BATCH>;

/// `enum migrate_mode`, as far as it is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrateMode {
    /// `MIGRATE_ASYNC`: never waits.
    Async,
    /// `MIGRATE_SYNC`.
    Sync,
}

/// What came of a batch.
struct Batch {
    moved: u32,
    /// `-ENOMEM`: the rest was not tried.
    out_of_memory: bool,
}

/// Moves the small anonymous pages that are in these frames now. How many moved.
pub fn migrate_pages(cpu: &Cpu<'_>, pages: &[Pfn], mode: MigrateMode) -> u32 {
    let _span = cpu.span("migrate_pages");
    let isolated = pages.iter().filter_map(|&pfn| isolate(cpu, pfn, false));
    migrate_isolated(cpu, isolated.collect(), mode).0
}

/// `migrate_pages`, of folios that are isolated, and `putback_movable_pages` of those that did not move: how many moved, and how many did
/// not. (Those that were freed are neither.)
pub fn migrate_isolated<'m>(
    cpu: &Cpu<'m>,
    mut from: Folios<'m>,
    mode: MigrateMode,
) -> (u32, usize) {
    let all = migrate_pages_batch(cpu, &mut from, MigrateMode::Async);
    let mut moved = all.moved;
    if mode == MigrateMode::Sync && !all.out_of_memory {
        moved += migrate_pages_sync(cpu, &mut from);
    }
    let left = from.len();
    putback_movable_pages(cpu, from);
    (moved, left)
}

/// `putback_movable_pages`: isolated folios are on the LRU again.
pub fn putback_movable_pages<'m>(cpu: &Cpu<'m>, isolated: Folios<'m>) {
    for folio in isolated {
        putback(cpu, folio);
    }
}

/// `folio_isolate_lru`, of a folio that the caller has a reference of: whether it was on the LRU. Then it is not any more, and there
/// is a reference of the isolation's.
pub fn folio_isolate_lru(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let was_on = test_and_clear_page_flag(cpu, folio.head(), PageFlags::LRU);
    if was_on {
        folio_get(cpu, folio);
    }
    was_on
}

/// The second half of `migrate_pages_sync`, of what a batch left: takes out of `from` what moved, or was freed; how many moved.
fn migrate_pages_sync<'m>(cpu: &Cpu<'m>, from: &mut Folios<'m>) -> u32 {
    let mut moved = 0;
    let mut rest = std::mem::take(from).into_iter();
    for folio in rest.by_ref() {
        let mut one = Folios::from_iter([folio]);
        let alone = migrate_pages_batch(cpu, &mut one, MigrateMode::Sync);
        moved += alone.moved;
        from.extend(one);
        if alone.out_of_memory {
            break;
        }
    }
    from.extend(rest);
    moved
}

/// `migrate_pages_batch`: takes out of `from` what moved, or was freed.
fn migrate_pages_batch<'m>(cpu: &Cpu<'m>, from: &mut Folios<'m>, mode: MigrateMode) -> Batch {
    let _span = cpu.span("migrate_pages_batch");
    let (mut unmapped, out_of_memory) = unmap_all(cpu, from, mode);
    // Without memory for the first of them nothing was unmapped, and nothing is flushed.
    let flush = !out_of_memory || !unmapped.is_empty();
    // ORDERING: whoever writes by a translation that was there has done so before the contents are copied. Pairs with the section
    // of such a user. Without it: R54, a write is lost. Step `flush-before-move`.
    if flush && cpu.does(Step::FlushBeforeMove) {
        try_to_unmap_flush(cpu);
    }
    let mut moved = 0;
    for _ in 0..PASSES {
        unmapped.retain(|one| {
            let done = migrate_folio_move(cpu, *one);
            moved += u32::from(done);
            !done
        });
    }
    for one in unmapped {
        undo(cpu, one);
        from.push(one.old);
    }
    Batch {
        moved,
        out_of_memory,
    }
}

/// Its first loop: what is unmapped, taken out of `from`, and whether there was no memory for a folio. Then the rest stays.
fn unmap_all<'m>(
    cpu: &Cpu<'m>,
    from: &mut Folios<'m>,
    mode: MigrateMode,
) -> (ArrayVec<Unmapped<'m>, BATCH>, bool) {
    let (by, wait) = match mode {
        MigrateMode::Async => (By::Batch, false),
        MigrateMode::Sync => (By::Migration, true),
    };
    let mut unmapped = ArrayVec::new();
    for _ in 0..PASSES {
        let mut untried = std::mem::take(from).into_iter();
        while let Some(folio) = untried.next() {
            match migrate_folio_unmap(cpu, folio, by, wait) {
                Unmap::Done(one) => unmapped.push(one),
                Unmap::Freed => {}
                Unmap::Again => from.push(folio),
                Unmap::NoMemory => {
                    from.push(folio);
                    from.extend(untried);
                    return (unmapped, true);
                }
            }
        }
    }
    (unmapped, false)
}
