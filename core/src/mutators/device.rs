//! Device memory goes: a file system takes blocks back, or the driver is unbound.
//!
//! # What happens when a walker comes
//!
//! A file that lives in device memory maps its blocks themselves, without references.
//!
//! Blocks taken back (`dax_layout_busy_page`): first all mappings go, then the counts are looked at. Either the
//! walker's reference is seen, and its owner is waited for; or the walker sees the entry gone.
//!
//! The driver unbound (`memunmap_pages`): nobody gets a reference of the pagemap any more; whoever found it alive has to be
//! through with the struct pages before they go. That takes nothing out of page tables: an entry that nobody unmapped
//! before is there still, and leads a walker to a struct page that is no more.

use super::zap::{ZapDetails, zap_page_range_single};
use crate::cpu::{Cpu, synchronize_rcu};
use crate::folio::{Folio, Pfn, folio_ref_count_is_below};
use crate::lkmm::write_once;
use crate::machine::MmId;
use crate::pgtable::PAGE_SHIFT;
use crate::step::Step;
use crate::sync::{LoadOrder, Until, Word};

/// `dax_layout_busy_page`, of the device's pages from `first` on, which are mapped in `start..end` and nowhere else: whether
/// nobody uses them. (The wait for those who do, and the next try, are the file system's.)
pub fn dax_layout_is_idle(cpu: &Cpu<'_>, mm: MmId, start: u64, end: u64, first: Pfn) -> bool {
    let _span = cpu.span("dax_layout_busy_page");
    // unmap_mapping_pages, without private copies.
    zap_page_range_single(cpu, mm, start..end, ZapDetails::NO_COPIES);
    // ORDERING: the clear's and the flush's, as the profile has them. Pairs with pin-barrier (P12). Without them: R15.
    // Steps `clear-barrier`, `flush-barrier`, `tlb-flush`. Without the look: R15 and R16, before v4.18. Step `layout-looks`.
    let pages = ((end - start) >> PAGE_SHIFT) as u32;
    !cpu.does(Step::LayoutLooks)
        || (0..pages).all(|n| {
            // dax_busy_page: a device's page that nobody uses has one reference.
            let folio = Folio::of(cpu.machine().page(first.plus(n)));
            folio_ref_count_is_below(cpu, folio, 2)
        })
}

/// `memunmap_pages`, of the machine's `nth` pagemap: its struct pages go.
pub fn memunmap_pages(cpu: &Cpu<'_>, nth: usize) {
    let _span = cpu.span("memunmap_pages");
    let pagemap = &cpu.machine().pagemaps()[nth];
    // percpu_ref_kill: the switch from counts for each CPU to a single one ends with a grace period.
    write_once(cpu, pagemap.dead, true);
    // ORDERING: whoever has seen the pagemap alive is over, or has raised its count. Pairs with the RCU reader in
    // get_dev_pagemap. Without the count: R46. Step `pagemap-reference`.
    synchronize_rcu(cpu);
    let released = Until::Equals(0_i32.into_word());
    pagemap.refs.wait_until(cpu, released, LoadOrder::Acquire);
    pagemap.memmap.free(cpu);
}
