//! A page moves to another frame: unmap, freeze, move, map again.
//!
//! # What happens when a walker comes
//!
//! 1. before the entry is exchanged: its pin makes the unmap fail, or the freeze, and nothing moves;
//! 2. between the exchange and the freeze: its reference may make the freeze fail; its recheck fails;
//! 3. after the freeze: it is refused the reference (P11);
//! 4. after the old folio is free, with an old entry in hand: it gets a reference of the next life, and its
//!    recheck fails; dropping that reference may free the page for its new owner (R12 iii, R30).
//!
//! The copy of the contents is not modelled: no race here depends on when it happens.

use super::rmap::{remove_migration_pte, try_to_migrate_one};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Mapping, Owner, PageFlags, Pfn, alloc_folio, folio_get, folio_put, folio_ref_freeze,
    folio_ref_unfreeze, set_page_flags,
};
use crate::lkmm::write_once;
use crate::machine::MmId;

/// `migrate_folio_unmap`, `folio_migrate_mapping` and what follows, of the small anonymous page in `pfn`
/// that is mapped at `addr`, which must be mapped there when this begins: the new frame, or `None` if it could
/// not be moved.
///
/// The count is frozen, as it is for every folio in the page or swap cache.
pub fn migrate_page<'m>(cpu: &Cpu<'m>, mm: MmId, addr: u64, pfn: Pfn) -> Option<Folio<'m>> {
    let _span = cpu.span("migrate_folio");
    let machine = cpu.machine();
    let mm = machine.mm(mm);
    let old = Folio::of(machine.page(pfn));
    let new = alloc_folio(cpu, 0, Owner::Us)?;
    if !old.trylock(cpu) {
        folio_put(cpu, new);
        return None;
    }
    // The isolation's reference.
    folio_get(cpu, old);
    let unmapped = try_to_migrate_one(cpu, mm, addr, old.head());
    let moved = unmapped && folio_ref_freeze(cpu, old, 1);
    if moved {
        write_once(cpu, new.head().mapping, Mapping::Anon);
        set_page_flags(cpu, new.head(), PageFlags::LRU);
        folio_ref_unfreeze(cpu, old, 1);
    }
    let now = if moved { new } else { old };
    if unmapped {
        remove_migration_pte(cpu, mm, addr, old.head(), now.head());
    }
    old.unlock(cpu);
    folio_put(cpu, old);
    folio_put(cpu, new);
    moved.then_some(new)
}
