//! A page of a device's memory moves to ordinary memory, so that it may be held for long: `migrate_device_coherent_page`.
//!
//! # The order
//!
//! 1. The caller has a reference, which stands for an isolation: such pages are on no LRU. The page is locked, whoever has it.
//! 2. All its mappings become migration entries. If one did not, or too many references are left, all is put back.
//! 3. A new page is allocated, only now. Without one all is put back.
//! 4. It is decided whether somebody else has a reference, as in every migration ([`folio_migrate`](super)).
//! 5. The mappings come back, of the one or of the other, and the caller's reference is dropped, in any case.
//!
//! The first look at the references, in 2, lets one of somebody else's pass (it counts one that such pages had before v6.0); the second
//! does not.

use super::folio_migrate::folio_migrate_mapping;
use super::rmap::{By, remove_migration_ptes, try_to_migrate};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Owner, PageFlags, alloc_folio, folio_lock, folio_mapped, folio_put,
    folio_ref_count_is_below, set_page_flags,
};

/// `migrate_device_coherent_page`: whether it moved. The caller's reference is gone.
pub fn migrate_device_coherent_page<'m>(cpu: &Cpu<'m>, old: Folio<'m>) -> bool {
    let _span = cpu.span("migrate_device_coherent_page");
    folio_lock(cpu, old);
    if !migrate_device_unmap(cpu, old) {
        finalize(cpu, old, old);
        return false;
    }
    let Some(new) = alloc_folio(cpu, 0, Owner::Us) else {
        finalize(cpu, old, old);
        return false;
    };
    folio_lock(cpu, new);
    if !folio_migrate_mapping(cpu, old, new) {
        // The new page goes first: the mappings come back after that.
        new.unlock(cpu);
        folio_put(cpu, new);
        finalize(cpu, old, old);
        return false;
    }
    finalize(cpu, old, new);
    new.unlock(cpu);
    // folio_putback_lru
    set_page_flags(cpu, new.head(), PageFlags::LRU);
    folio_put(cpu, new);
    true
}

/// `migrate_device_unmap`, of one page, and `migrate_vma_check_page`.
fn migrate_device_unmap<'m>(cpu: &Cpu<'m>, folio: Folio<'m>) -> bool {
    let _span = cpu.span("migrate_device_unmap");
    if folio_mapped(cpu, folio) {
        try_to_migrate(cpu, folio, By::Migration);
    }
    !folio_mapped(cpu, folio) && folio_ref_count_is_below(cpu, folio, 3)
}

/// `migrate_device_finalize`, of one page, and what `migrate_device_unmap` does of one that it puts back.
fn finalize<'m>(cpu: &Cpu<'m>, old: Folio<'m>, to: Folio<'m>) {
    remove_migration_ptes(cpu, old, to, false);
    old.unlock(cpu);
    folio_put(cpu, old);
}
