//! Many pages move at once, or one by one: `migrate_pages`, asynchronous and synchronous.
//!
//! # The order
//!
//! 1. All are isolated. What cannot be is left alone.
//! 2. *Asynchronous.* Each is locked, if the lock is free, and unmapped, with the flush put off; what fails is tried again, up to a
//!    number of passes. Then one flush for all. Then each is moved, if nobody else has a reference; what fails is
//!    tried again. In the end what is still unmapped gets its mappings back.
//! 3. *Synchronous.* First all, as in 2. What is left is taken one by one, with waiting for locks, and a flush for each entry.
//! 4. What did not move is put back on the LRU.
//!
//! Nobody waits for a lock while he has a second page unmapped: two who do so could wait for each other.
//!
//! # What happens when a walker comes
//!
//! As in [`migrate`](super). Between the unmapping and the flush a stale translation is used as before; the contents are copied after
//! the flush.

use super::migrate::{copy_contents, folio_migrate_mapping, isolate};
use super::rmap::{By, remove_migration_ptes, try_to_migrate};
use crate::cpu::{Cpu, try_to_unmap_flush};
use crate::folio::{
    Folio, Owner, PageFlags, Pfn, alloc_folio, folio_get, folio_lock, folio_mapped, folio_put,
    folio_ref_count_is, set_page_flags, test_and_clear_page_flag,
};
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

/// A folio that is unmapped, and where it goes; both are locked.
#[derive(Clone, Copy)]
struct Unmapped<'m> {
    old: Folio<'m>,
    new: Folio<'m>,
    was_mapped: bool,
}

/// What came of unmapping one.
enum Unmap<'m> {
    Done(Unmapped<'m>),
    /// It was free but for the isolation's reference.
    Freed,
    /// `-EAGAIN`.
    Again,
    /// `-ENOMEM`.
    NoMemory,
}

/// Moves the small anonymous pages that are in these frames now. How many moved.
pub fn migrate_pages(cpu: &Cpu<'_>, pages: &[Pfn], mode: MigrateMode) -> u32 {
    let _span = cpu.span("migrate_pages");
    let mut from: Folios<'_> = pages
        .iter()
        .filter_map(|&pfn| isolate(cpu, pfn, false))
        .collect();
    let moved = migrate_isolated(cpu, &mut from, mode);
    putback_movable_pages(cpu, from);
    moved
}

/// Takes out of `from`, small anonymous folios that are isolated, what moved, or was freed; how many moved.
pub fn migrate_isolated<'m>(cpu: &Cpu<'m>, from: &mut Folios<'m>, mode: MigrateMode) -> u32 {
    let mut moved = migrate_pages_batch(cpu, from, MigrateMode::Async, PASSES);
    if mode == MigrateMode::Sync {
        // migrate_pages_sync
        for folio in std::mem::take(from) {
            let mut one = Folios::from_iter([folio]);
            moved += migrate_pages_batch(cpu, &mut one, MigrateMode::Sync, PASSES);
            from.extend(one);
        }
    }
    moved
}

/// `putback_movable_pages`.
pub fn putback_movable_pages<'m>(cpu: &Cpu<'m>, folios: Folios<'m>) {
    for folio in folios {
        set_page_flags(cpu, folio.head(), PageFlags::LRU);
        folio_put(cpu, folio);
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

/// `migrate_pages_batch`: takes out of `from` what moved, or was freed; how many moved.
fn migrate_pages_batch<'m>(
    cpu: &Cpu<'m>,
    from: &mut Folios<'m>,
    mode: MigrateMode,
    passes: usize,
) -> u32 {
    let _span = cpu.span("migrate_pages_batch");
    let mut unmapped: ArrayVec<Unmapped<'m>, BATCH> = ArrayVec::new();
    'unmap: for _ in 0..passes {
        for folio in std::mem::take(from) {
            match migrate_folio_unmap(cpu, folio, mode) {
                Unmap::Done(one) => unmapped.push(one),
                Unmap::Freed => {}
                Unmap::Again => from.push(folio),
                Unmap::NoMemory => {
                    from.push(folio);
                    break 'unmap;
                }
            }
        }
    }
    // ORDERING: whoever writes by a translation that was there has done so before the contents are copied. Pairs with the section
    // of such a user. Without it: R54, a write is lost. Step `flush-before-move`.
    if cpu.does(Step::FlushBeforeMove) {
        try_to_unmap_flush(cpu);
    }
    let mut moved = 0;
    for _ in 0..passes {
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
    moved
}

/// `migrate_folio_unmap`.
fn migrate_folio_unmap<'m>(cpu: &Cpu<'m>, old: Folio<'m>, mode: MigrateMode) -> Unmap<'m> {
    let _span = cpu.span("migrate_folio_unmap");
    if folio_ref_count_is(cpu, old, 1) {
        folio_put(cpu, old);
        return Unmap::Freed;
    }
    let Some(new) = alloc_folio(cpu, 0, Owner::Us) else {
        return Unmap::NoMemory;
    };
    let locked = old.trylock(cpu);
    if !locked {
        if mode == MigrateMode::Async {
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
        copy_contents(cpu, old, new);
    }
    let was_mapped = folio_mapped(cpu, old);
    if was_mapped {
        let by = match mode {
            MigrateMode::Async => By::Batch,
            MigrateMode::Sync => By::Migration,
        };
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

/// `migrate_folio_move`: whether it moved; if not, it is as it was.
fn migrate_folio_move<'m>(cpu: &Cpu<'m>, one: Unmapped<'m>) -> bool {
    let _span = cpu.span("migrate_folio_move");
    let Unmapped {
        old,
        new,
        was_mapped,
    } = one;
    if !folio_migrate_mapping(cpu, old, new) {
        return false;
    }
    // folio_add_lru
    set_page_flags(cpu, new.head(), PageFlags::LRU);
    if was_mapped {
        remove_migration_ptes(cpu, old, new, false);
    }
    new.unlock(cpu);
    folio_put(cpu, new);
    old.unlock(cpu);
    folio_put(cpu, old);
    true
}

/// `migrate_folio_undo_src` and `migrate_folio_undo_dst`: mapped and unlocked as it was; where it was to go is free.
fn undo<'m>(cpu: &Cpu<'m>, one: Unmapped<'m>) {
    if one.was_mapped {
        remove_migration_ptes(cpu, one.old, one.old, false);
    }
    one.old.unlock(cpu);
    one.new.unlock(cpu);
    folio_put(cpu, one.new);
}
