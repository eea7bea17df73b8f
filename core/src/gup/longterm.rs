//! Pages that are to be held for long: what may not stay where it is moves first. `__gup_longterm_locked`.
//!
//! # The order
//!
//! 1. The pages are pinned, as they are.
//! 2. Each folio that may not be held for long (the contiguous allocator's memory, a block that is being emptied, `ZONE_MOVABLE`) is
//!    isolated: off the LRU, with a reference. Who is not on it may be in a batch: all batches are drained, once.
//! 3. *All* pins are given back, those of welcome pages too: a page that somebody has pinned does not move.
//! 4. What was isolated is migrated, and waited for. If that fails, so does the call.
//! 5. Everything begins anew.
//!
//! A page of a device's coherent memory is on no LRU. In 3 its pin becomes a reference, and it moves at once, by itself; if it does not, the
//! call fails with `-EBUSY`, and the rest is unpinned, and moves nowhere.
//!
//! # What happens when a walker comes
//!
//! Between 3 and 4 it may take a reference of such a page: a long-term pin is refused by its own gate, any other keeps the page from
//! moving, and the call fails with `-ENOMEM` (R35). After 4 it finds another page.

use super::locked::{Of, get_user_pages_locked};
use super::{Foll, Pages, gates::is_longterm_pinnable, gup_put_folio, unpin_user_page};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{Page, PageFlags, folio_get, page_folio};
use crate::mutators::{
    Folios, MigrateMode, folio_isolate_lru, isolate_hugetlb, lru_add_drain_all,
    migrate_device_coherent_page, migrate_hugetlbs, migrate_isolated, putback_movable_pages,
};
use crate::step::Step;

/// `__gup_longterm_locked`: how many pages; they are in `pages`.
///
/// # Errors
/// Those of [`get_user_pages_locked`]; `-ENOMEM` where what may not stay did not move.
pub(super) fn gup_longterm_locked<'m>(
    cpu: &Cpu<'m>,
    of: Of<'_>,
    start: u64,
    nr_pages: usize,
    pages: &mut Pages<'m>,
    locked: &mut bool,
    flags: Foll,
) -> Result<usize, Errno> {
    let _span = cpu.span("__gup_longterm_locked");
    if !flags.contains(Foll::LONGTERM) {
        return get_user_pages_locked(cpu, of, start, nr_pages, Some(pages), locked, flags);
    }
    // Each turn but the last has moved something, or lost it to somebody who does. A page that nobody can isolate makes it go on for
    // ever, here as in the kernel.
    loop {
        let got = get_user_pages_locked(cpu, of, start, nr_pages, Some(pages), locked, flags)?;
        if got == 0 {
            return Ok(0);
        }
        let unwelcome = collect_longterm_unpinnable_pages(cpu, pages);
        if unwelcome.count == 0 {
            return Ok(got);
        }
        let moved = migrate_longterm_unpinnable_pages(cpu, unwelcome, pages);
        // Whoever has it keeps it where it is. Until v5.12 it was then pinned there, for long. Without it: R49. Step
        // `migration-failure-told`.
        if moved.is_err() && !cpu.does(Step::MigrationFailureTold) {
            return get_user_pages_locked(cpu, of, start, nr_pages, Some(pages), locked, flags);
        }
        moved?;
    }
}

/// What may not be held for long.
struct Unwelcome<'m> {
    /// So many folios, in a row of pages.
    count: usize,
    /// Those of them that are off the LRU now, with a reference of ours.
    isolated: Folios<'m>,
    /// hugetlb's, isolated in their own way, which are tried first.
    hugetlb: Folios<'m>,
}

/// `collect_longterm_unpinnable_pages`.
fn collect_longterm_unpinnable_pages<'m>(cpu: &Cpu<'m>, pages: &[&'m Page]) -> Unwelcome<'m> {
    let _span = cpu.span("collect_longterm_unpinnable_pages");
    let mut unwelcome = Unwelcome {
        count: 0,
        isolated: Folios::new(),
        hugetlb: Folios::new(),
    };
    let mut previous = None;
    let mut drained = false;
    for page in pages {
        let folio = page_folio(cpu, page);
        if previous.replace(folio) == Some(folio) || is_longterm_pinnable(cpu, folio) {
            continue;
        }
        unwelcome.count += 1;
        // folio_is_device_coherent: on no LRU. It is migrated later, by itself.
        if folio.head().memory.coherent {
            continue;
        }
        // A machine without hugetlb's pages is spared the question.
        if cpu.machine().hugetlb.is_some() && folio.test(cpu, PageFlags::HUGETLB) {
            if isolate_hugetlb(cpu, folio) {
                unwelcome.hugetlb.push(folio);
            }
            continue;
        }
        // A page in a batch has a reference more, and does not move. v6.6 to v6.8 drain only where the page is not on the LRU: then
        // it is in no batch, they think. But a page that is mlocked goes into a batch and stays on its list (since v5.18). Without
        // it: R35 (98c6d259319e, v6.17). Step `longterm-drains`.
        let in_batch = cpu.does(Step::LongtermDrains) || !folio.test(cpu, PageFlags::LRU);
        if in_batch && !drained {
            lru_add_drain_all(cpu);
            drained = true;
        }
        if folio_isolate_lru(cpu, folio) {
            unwelcome.isolated.push(folio);
        }
    }
    unwelcome
}

/// `migrate_longterm_unpinnable_pages`. None of the pages is pinned afterwards.
///
/// # Errors
/// `-ENOMEM` where one did not move, `-EBUSY` where that is a device's; those that did have moved.
fn migrate_longterm_unpinnable_pages<'m>(
    cpu: &Cpu<'m>,
    unwelcome: Unwelcome<'m>,
    pages: &mut Pages<'m>,
) -> Result<(), Errno> {
    let _span = cpu.span("migrate_longterm_unpinnable_pages");
    let mut rest = pages.drain(..);
    while let Some(page) = rest.next() {
        let folio = page_folio(cpu, page);
        if !folio.head().memory.coherent {
            unpin_user_page(cpu, page);
            continue;
        }
        // A reference in place of the pin, with which it would not move.
        folio_get(cpu, folio);
        gup_put_folio(cpu, folio, 1, Foll::PIN);
        if !migrate_device_coherent_page(cpu, folio) {
            for page in rest {
                unpin_user_page(cpu, page);
            }
            migrate_hugetlbs(cpu, &unwelcome.hugetlb);
            putback_movable_pages(cpu, unwelcome.isolated);
            return Err(Errno::Ebusy);
        }
    }
    drop(rest);
    if !migrate_hugetlbs(cpu, &unwelcome.hugetlb) {
        putback_movable_pages(cpu, unwelcome.isolated);
        return Err(Errno::Enomem);
    }
    let (_, stayed) = migrate_isolated(cpu, unwelcome.isolated, MigrateMode::Sync);
    if stayed > 0 {
        Err(Errno::Enomem)
    } else {
        Ok(())
    }
}
