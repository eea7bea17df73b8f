//! Tables made, published, and freed.

use super::{Entry, EntryPtr};
use crate::arch::TableFree;
use crate::cpu::{Cpu, synchronize_rcu};
use crate::folio::{Owner, Page, Pfn, alloc_folio, folio_put};
use crate::lkmm::{smp_wmb, write_once};
use crate::step::Step;

/// `pte_alloc_one`: a frame for a table, all its entries none; `None` if there is no memory. Nobody else
/// can reach it until it is linked.
pub fn pte_alloc_one<'m>(cpu: &Cpu<'m>) -> Option<&'m Page> {
    let _span = cpu.span("pte_alloc_one");
    let page = alloc_folio(cpu, 0, Owner::Table)?.head();
    page.table.life.revive(cpu);
    for &entry in &page.table.entries {
        write_once(cpu, entry, Entry::NONE);
    }
    Some(page)
}

/// `pmd_install`: links a new table, under the lock of the table above.
pub fn pmd_install(cpu: &Cpu<'_>, pmd: EntryPtr<'_>, table: Pfn) {
    // ORDERING: the entries' zeroes before the link. Pairs with entry-read-once (P6). Without it: R23.
    // Step `table-publish-barrier`.
    if cpu.does(Step::TablePublishBarrier) {
        smp_wmb(cpu);
    }
    pmd.set_pmd(cpu, Entry::table(table));
}

/// `__pte_alloc`: makes sure that there is a table under a pmd entry; whether there is one now. A table
/// that somebody else linked first is used instead.
pub fn pte_alloc(cpu: &Cpu<'_>, pmd: EntryPtr<'_>) -> bool {
    let _span = cpu.span("__pte_alloc");
    let Some(table) = pte_alloc_one(cpu) else {
        return false;
    };
    pmd.lock().lock(cpu);
    let ours = pmd.is(cpu, Entry::NONE);
    if ours {
        pmd_install(cpu, pmd, table.pfn);
    }
    pmd.lock().unlock(cpu);
    if !ours {
        pte_free(cpu, table);
    }
    true
}

/// `pte_free`: a table that nobody can reach, at once.
pub fn pte_free(cpu: &Cpu<'_>, table: &Page) {
    let _span = cpu.span("pte_free");
    table.table.life.free(cpu);
    folio_put(cpu, crate::folio::Folio::of(table));
}

/// `tlb_remove_table_free` and what follows it: unlinked tables, freed together when the profile says that no
/// walker can be inside any more. The TLB has been flushed already.
pub fn free_tables(cpu: &Cpu<'_>, tables: &[&Page]) {
    let _span = cpu.span("tlb_remove_table");
    // ORDERING: the wait is what keeps the tables alive for walkers that read a link before it was
    // cleared. Pairs with irqs-off-hold-rcu (P4), or irqs-off-block-ipi (P3) where it is an IPI. Without
    // it: R17. Step `rcu-table-free`.
    match cpu.machine().kernel.profile.table_free {
        TableFree::AfterGracePeriod if cpu.does(Step::RcuTableFree) => synchronize_rcu(cpu),
        TableFree::AfterGracePeriod | TableFree::AfterFlush => {}
    }
    for table in tables {
        pte_free(cpu, table);
    }
}
