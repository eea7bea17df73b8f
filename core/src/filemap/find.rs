//! What a cache has in a place, found without its lock: `filemap_get_entry`.

use crate::cpu::{Cpu, local_irq_restore, local_irq_save, rcu_read_lock, rcu_read_unlock};
use crate::folio::{Folio, folio_put, folio_ref_try_add};
use crate::lkmm::{read_once_dereferenced, read_once_is};
use crate::sync::{Atomic, SpinLock};
use crate::types::Cached;

/// One place of a cache, and the cache's lock.
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// `i_pages.xa_lock`.
    pub lock: SpinLock,
    /// What is there.
    pub place: Atomic<Cached>,
}

impl Cache {
    /// `xa_lock_irq`.
    pub fn lock(self, cpu: &Cpu<'_>) {
        local_irq_save(cpu);
        self.lock.lock(cpu);
    }

    /// `xa_unlock_irq`.
    pub fn unlock(self, cpu: &Cpu<'_>) {
        self.lock.unlock(cpu);
        local_irq_restore(cpu);
    }
}

/// `filemap_get_entry`: what is there, with a reference: of what was found, unless its count is frozen, and then another look whether
/// it is still there. (Where one of the two fails the kernel goes round; here the second turn is under the lock, where neither can.)
pub fn filemap_get_entry<'m>(cpu: &Cpu<'m>, cache: Cache) -> Option<Folio<'m>> {
    let cell = cache.place;
    rcu_read_lock(cpu);
    let found = read_once_dereferenced(cpu, cell);
    let folio = found.0.map(|pfn| Folio::of(cpu.machine().page(pfn)));
    let mut settled = true;
    if let Some(folio) = folio {
        settled = false;
        if folio_ref_try_add(cpu, folio, 1) {
            settled = read_once_is(cpu, cell, found);
            if !settled {
                folio_put(cpu, folio);
            }
        }
    }
    rcu_read_unlock(cpu);
    if settled {
        folio
    } else {
        get_locked(cpu, cache)
    }
}

/// The same with the cache locked: what is there has a reference, the cache's.
fn get_locked<'m>(cpu: &Cpu<'m>, cache: Cache) -> Option<Folio<'m>> {
    cache.lock(cpu);
    let found = read_once_dereferenced(cpu, cache.place).0;
    let folio = found.map(|pfn| Folio::of(cpu.machine().page(pfn)));
    let got = folio.filter(|&folio| folio_ref_try_add(cpu, folio, 1));
    cache.unlock(cpu);
    got
}
