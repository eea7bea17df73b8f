//! The shrinker that splits large folios of which a part is mapped no more: `deferred_split_scan`.
//!
//! # The order
//!
//! 1. under the queue's lock, every folio in it goes into a list of the shrinker's, with a reference, unless its count is zero
//!    (M-P90); that one is out of the queue;
//! 2. without the lock, each of them is locked, if nobody else has locked it, and split, which takes it out of the list; and the
//!    reference is dropped, which may be the last one, and then the folio is freed, and leaves the list by that;
//! 3. under the lock, what is left in the list goes back into the queue.
//!
//! # What happens when a walker comes
//!
//! Its reference makes the split fail (see `split_folio`), and the folio is back in the queue after 3. The shrinker's own reference
//! does the same to anybody else who would split, migrate or reuse the folio meanwhile.
//!
//! One shrinker at a time: two would need to tell their lists apart.

use super::split_folio::split_folio;
use crate::cpu::Cpu;
use crate::folio::{
    Deferred, folio_put, split_queue_add, split_queue_locked, split_queue_take_all,
};
use crate::lkmm::read_once_is;

/// `deferred_split_scan`, of all that is in the queue: how many folios were split.
pub fn deferred_split_scan(cpu: &Cpu<'_>) -> u32 {
    let _span = cpu.span("deferred_split_scan");
    let taken = split_queue_locked(cpu, || split_queue_take_all(cpu));
    let mut split = 0;
    for &folio in &taken {
        if folio.trylock(cpu) {
            if split_folio(cpu, folio).is_ok() {
                split += 1;
            }
            folio.unlock(cpu);
        }
        folio_put(cpu, folio);
    }
    split_queue_locked(cpu, || {
        for &folio in &taken {
            if read_once_is(cpu, folio.head().deferred, Deferred::Scanned) {
                split_queue_add(cpu, folio);
            }
        }
    });
    split
}
