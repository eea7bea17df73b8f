//! Migration of a page that is to be held for long: `check_and_migrate_movable_pages`.
//!
//! # The order
//!
//! 1. batches of pages that are on their way to the LRU are drained, because what is in a batch has a reference more;
//! 2. the page is isolated, and the caller's own pins are dropped;
//! 3. it is migrated, synchronously; the caller begins anew. He does so as well if somebody else had isolated it.
//!
//! v6.6 to v6.8 leave 1 out where the page is on the LRU: then it is in no batch, they think. But a page that is mlocked goes
//! into a batch and stays on its list (since v5.18). Such a page is not moved, and the pin fails, of a page that
//! nobody holds (98c6d259319e, v6.17).

use super::migrate::isolate;
use super::migrate_pages::{Folios, MigrateMode, migrate_isolated};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{BlockLink, Folio, PageFlags, Pfn, folio_put, set_page_flags};
use crate::step::Step;

/// `lru_add_drain_all`: every batch is empty when it returns.
pub fn lru_add_drain_all(cpu: &Cpu<'_>) {
    let _span = cpu.span("lru_add_drain_all");
    let machine = cpu.machine();
    for batch in &machine.lru_batches {
        batch.lock.lock(cpu);
        let folio = batch.folio.read(cpu).0;
        batch.folio.write(cpu, BlockLink(None));
        if let Some(pfn) = folio {
            let folio = Folio::of(machine.page(pfn));
            set_page_flags(cpu, folio.head(), PageFlags::LRU);
            folio_put(cpu, folio);
        }
        batch.lock.unlock(cpu);
    }
}

/// `check_and_migrate_movable_pages`, of the page in `pfn`, which the caller has pinned for long, and may not; its pin is given
/// back already. `-EAGAIN` if it moved, or if somebody else has isolated it: the caller begins anew. `-ENOMEM` if it did not move.
pub fn migrate_for_longterm(cpu: &Cpu<'_>, pfn: Pfn) -> Errno {
    let _span = cpu.span("check_and_migrate_movable_pages");
    let folio = Folio::of(cpu.machine().page(pfn));
    // Without it a page in a batch is drained only if it is not on the LRU: R35. Step `longterm-drains`.
    if cpu.does(Step::LongtermDrains) || !folio.test(cpu, PageFlags::LRU) {
        lru_add_drain_all(cpu);
    }
    let Some(folio) = isolate(cpu, pfn, false) else {
        return Errno::Eagain;
    };
    let (_, left) = migrate_isolated(cpu, Folios::from_iter([folio]), MigrateMode::Sync);
    if left == 0 {
        Errno::Eagain
    } else {
        Errno::Enomem
    }
}
