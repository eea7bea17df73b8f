//! perf asks where in memory an address of user space is (`PERF_SAMPLE_PHYS_ADDR`).
//!
//! It takes a page for a moment, from an NMI, and gives it back at once. The walk writes a page of a huge leaf to the array before it has
//! a reference of it, and leaves it there if it gets none: what is in the array says nothing, the count does.

use super::{Foll, get_user_pages_fast_only, put_page};
use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::folio::Pfn;
use crate::machine::MmId;
use crate::step::Step;

/// `perf_virt_to_phys`, of an address of user space: the frame, or `None` where the fast path gets nothing.
pub fn perf_virt_to_phys(cpu: &Cpu<'_>, mm: MmId, virt: u64) -> Option<Pfn> {
    let _span = cpu.span("perf_virt_to_phys");
    local_irq_save(cpu);
    let gup = get_user_pages_fast_only(cpu, mm, virt, 1, Foll::empty());
    let got = gup.pages.first();
    // Until v5.16 what was in the array was given back, if anything was. Without it: R53. Step `put-by-count`.
    let put = if cpu.does(Step::PutByCount) {
        got
    } else {
        gup.array.first()
    };
    if let Some(page) = put {
        put_page(cpu, page);
    }
    local_irq_restore(cpu);
    got.map(|page| page.pfn)
}
