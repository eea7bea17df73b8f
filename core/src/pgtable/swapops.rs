//! Swap-type entries, and the pages that they name.
//!
//! # The page of a migration entry
//!
//! Its folio is locked for as long as the entry is there: who put it there holds the lock, and unlocks last. Who meets
//! the entry under the page-table lock relies on that, and checks it.
//!
//! The page is found by arithmetic. Whether the folio is locked is a bit of its head; and where the head is, is
//! read first. While the page is a tail, the bit's address comes from that read. Once the folio is split, the page is
//! its own head: the bit was copied there before that, but now only a branch leads from one read to the other. A branch
//! orders no loads, so a barrier must.

use super::Entry;
use crate::cpu::Cpu;
use crate::folio::{Page, PageFlags, page_folio};
use crate::lkmm::smp_rmb;
use crate::step::Step;
use crate::sync::Fault;

/// `pfn_swap_entry_to_page`: the page of a migration entry, under the page-table lock. A violation if its folio is not
/// locked.
pub fn pfn_swap_entry_to_page<'m>(cpu: &Cpu<'m>, entry: Entry) -> &'m Page {
    let _span = cpu.span("pfn_swap_entry_to_page");
    let page = cpu.machine().page(entry.pfn());
    let folio = page_folio(cpu, page);
    // ORDERING: read barrier between the head and the lock bit of a page that is no tail any more. Pairs with
    // tail-flags-wmb (M-P23). Without it: R59. Step `migration-entry-rmb`.
    if cpu.does(Step::MigrationEntryRmb) {
        smp_rmb(cpu);
    }
    if !folio.test(cpu, PageFlags::LOCKED) {
        cpu.fault(Fault::Bug {
            what: "the folio of a migration entry is not locked",
            cell: Some(folio.head().flags.id()),
        });
    }
    page
}
