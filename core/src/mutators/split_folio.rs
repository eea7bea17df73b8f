//! A large folio becomes small ones: `split_huge_page_to_list`.
//!
//! # The order
//!
//! 0. the anon_vma lock is taken for writing, and held to the end (M-P25): nobody else goes from the folio's pages to their
//!    entries, takes the pmd away, or frees the tables;
//! 1. every mapping becomes a migration entry and gives its reference up (`unmap_folio`);
//! 2. the count is frozen at what the caller alone accounts for; if anybody else has a reference, everything
//!    is put back;
//! 3. the tails become heads of their own, each before its count is given back (M-P8);
//! 4. the mappings come back, each with a reference of the small folio that it maps (`remap_page`).
//!
//! # What happens when a walker comes
//!
//! It read an entry for a tail, and the old head. Its reference
//! - before 2 makes the freeze fail; its recheck fails, or nothing was split;
//! - between 2 and 3 is refused;
//! - after 3 goes to the old head, which by now is an unrelated page. The entry, put back by 4, is the same
//!   as ever: only looking at the head again tells (P15, R05).

use super::rmap::{By, remove_migration_ptes, try_to_migrate};
use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::errno::Errno;
use crate::folio::{
    CompoundHead, Folio, Frozen, PageFlags, Pfn, clear_page_flags, folio_get, folio_mapcount,
    folio_mapped, folio_put, folio_ref_count_is, folio_ref_freeze, folio_ref_unfreeze,
    set_page_flags, split_queue_locked, split_queue_remove,
};
use crate::lkmm::{read_once, smp_wmb, write_once};
use crate::mm::{folio_anon_vma, is_huge_zero_page, page_copy_anon};
use crate::step::Step;
use crate::sync::Fault;

/// `split_huge_page_to_list`, of the anonymous folio that `head` heads, with its lock. The caller holds a reference, and
/// keeps one of the first page.
///
/// # Errors
/// `-EBUSY` if the folio is locked, or mapped nowhere; `-EAGAIN` if somebody else holds a reference.
pub fn split_huge_page(cpu: &Cpu<'_>, head: Pfn) -> Result<(), Errno> {
    let _span = cpu.span("split_huge_page_to_list");
    let machine = cpu.machine();
    let folio = Folio::of(machine.page(head));
    if !folio.trylock(cpu) {
        return Err(Errno::Ebusy);
    }
    let split = split_folio(cpu, folio);
    folio.unlock(cpu);
    split
}

/// `split_folio`: with the folio locked.
///
/// # Errors
/// As [`split_huge_page`], but for the lock.
pub(super) fn split_folio<'m>(cpu: &Cpu<'m>, folio: Folio<'m>) -> Result<(), Errno> {
    split_folio_to(cpu, folio, Tails::OnLru)
}

/// Where the tails of a folio go that is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tails {
    /// Where the folio is: on the LRU, unless it is isolated.
    OnLru,
    /// To a list of the caller's, which has a reference of each.
    OnList,
}

/// `split_folio_to_list`: with the folio locked.
///
/// # Errors
/// As [`split_huge_page`], but for the lock.
pub(super) fn split_folio_to<'m>(
    cpu: &Cpu<'m>,
    folio: Folio<'m>,
    tails: Tails,
) -> Result<(), Errno> {
    // VM_BUG_ON_FOLIO
    if !folio.test(cpu, PageFlags::HEAD) {
        cpu.fault(Fault::Bug {
            what: "a folio is about to be split that is not large",
            cell: Some(folio.head().flags.id()),
        });
    }
    if is_huge_zero_page(cpu, folio.head()) {
        return Err(Errno::Ebusy);
    }
    // folio_get_anon_vma
    if !folio_mapped(cpu, folio) {
        return Err(Errno::Ebusy);
    }
    let (mm, _) = folio_anon_vma(cpu, folio);
    // ORDERING: no other walk, and no pmd taken away, from before the first mapping goes until the last is back. Pairs
    // with collapse-rmap-lock (M-P26), unlink-rmap-first (M-P27). Without it: migration entries are left behind, or the
    // split goes through tables that are freed. Step `split-rmap-lock`.
    let lock = cpu.does(Step::SplitRmapLock);
    if lock {
        mm.anon_vma.lock_write(cpu);
    }
    let split = split_unmapped(cpu, folio, tails);
    if lock {
        mm.anon_vma.unlock_write(cpu);
    }
    split
}

/// With the anon_vma locked.
fn split_unmapped<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, tails: Tails) -> Result<(), Errno> {
    let pages = folio.nr_pages(cpu);
    if !can_split_folio(cpu, folio) {
        return Err(Errno::Eagain);
    }
    unmap_folio(cpu, folio);
    local_irq_save(cpu);
    let frozen = split_queue_locked(cpu, || {
        let frozen = folio_ref_freeze(cpu, folio, 1);
        // Nobody finds the folio in the queue who would take it for a large one still. Without it, the shrinker does. Step
        // `split-unqueues`.
        if frozen.is_some() && cpu.does(Step::SplitUnqueues) {
            split_queue_remove(cpu, folio);
        }
        frozen
    });
    let was_frozen = frozen.is_some();
    if let Some(frozen) = frozen {
        split_frozen(cpu, folio, frozen, (pages, tails));
    }
    local_irq_restore(cpu);
    remap_page(cpu, folio, pages);
    if !was_frozen {
        return Err(Errno::Eagain);
    }
    for n in 1..pages {
        let tail = Folio::of(cpu.machine().page(folio.head().pfn.plus(n)));
        tail.unlock(cpu);
        folio_put(cpu, tail);
    }
    Ok(())
}

/// `can_split_folio`: nobody but the mappings and the caller has a reference. A first look; the freeze
/// decides.
pub(super) fn can_split_folio(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let mapped = folio_mapcount(cpu, folio);
    folio_ref_count_is(cpu, folio, mapped + 1)
}

/// `unmap_folio`: all mappings to migration entries, up to the first page that may be pinned: from there on
/// they stay, and the freeze will fail.
fn unmap_folio<'m>(cpu: &Cpu<'m>, folio: Folio<'m>) {
    let _span = cpu.span("unmap_folio");
    try_to_migrate(cpu, folio, By::Split);
}

/// `__split_huge_page`, with the count frozen.
fn split_frozen(cpu: &Cpu<'_>, folio: Folio<'_>, frozen: Frozen<'_>, (pages, tails): (u32, Tails)) {
    let _span = cpu.span("__split_huge_page");
    let head = folio.head();
    for n in (1..pages).rev() {
        split_tail(cpu, folio, n, tails);
    }
    write_once(cpu, head.order, 0);
    clear_page_flags(cpu, head, PageFlags::HEAD);
    // The kernel of v6.6 gives the head's count back by `page_ref_inc`, which orders nothing; those that
    // split to any order unfreeze it as here (docs/limits.md).
    frozen.unfreeze(cpu, 1);
}

/// `__split_huge_page_tail`: the tail takes over the head's flags, but is on no LRU list yet, and whether it
/// was exclusive is remembered by its migration entry alone.
fn split_tail(cpu: &Cpu<'_>, folio: Folio<'_>, n: u32, tails: Tails) {
    let head = folio.head();
    let tail = cpu.machine().page(head.pfn.plus(n));
    let inherited =
        PageFlags::LOCKED | PageFlags::REFERENCED | PageFlags::DIRTY | PageFlags::SWAP_CACHE;
    let head_flags = read_once(cpu, head.flags);
    write_once(cpu, tail.flags, head_flags & inherited);
    page_copy_anon(cpu, tail, folio, n);
    // ORDERING: the tail's flags before it stops being a tail: whoever finds it to be its own head finds it locked.
    // Pairs with migration-entry-rmb (M-P22). Without it: R59. Step `tail-flags-wmb`. (A walker asks for the flags
    // after its reference, which unfreeze-release (M-P8) orders as well.)
    if cpu.does(Step::TailFlagsWmb) {
        smp_wmb(cpu);
    }
    write_once(cpu, tail.compound_head, CompoundHead(None));
    let tail_folio = Folio::of(cpu.machine().page(tail.pfn));
    folio_ref_unfreeze(cpu, tail_folio, 1);
    // lru_add_page_tail
    if tails == Tails::OnList {
        // Whoever zaps the tail drops the last reference else. Without it: the tail is freed, and is on the list. Step
        // `list-reference`.
        if cpu.does(Step::ListReference) {
            folio_get(cpu, tail_folio);
        }
    } else if head_flags.contains(PageFlags::LRU) {
        set_page_flags(cpu, tail, PageFlags::LRU);
    }
}

/// `remap_page`: migration entries back to mappings, of whatever folio each page is in now.
fn remap_page(cpu: &Cpu<'_>, folio: Folio<'_>, pages: u32) {
    let _span = cpu.span("remap_page");
    let mut done = 0;
    while done < pages {
        let part = Folio::of(cpu.machine().page(folio.head().pfn.plus(done)));
        remove_migration_ptes(cpu, part, part, true);
        done += part.nr_pages(cpu);
    }
}
