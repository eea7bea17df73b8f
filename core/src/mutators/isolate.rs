//! A block of pages is emptied: for a contiguous allocation, or to go offline.

use crate::cpu::Cpu;
use crate::folio::{Migratetype, Pfn};
use crate::lkmm::write_once;

/// `set_migratetype_isolate`, of the block that `pfn` is in: from now on nothing is allocated there, and no new long-term pin
/// is taken of what is there. A walker that asked before is not waited for: its pin makes the migration fail.
///
/// Under the zone's lock.
pub fn set_migratetype_isolate(cpu: &Cpu<'_>, pfn: Pfn) {
    let _span = cpu.span("set_migratetype_isolate");
    let machine = cpu.machine();
    if let Some(block) = machine.page(pfn).memory.pageblock {
        machine.zone.lock.lock(cpu);
        write_once(cpu, block, Migratetype::Isolate);
        machine.zone.lock.unlock(cpu);
    }
}
