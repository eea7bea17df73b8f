//! A folio is unmapped for good, its contents kept in swap space or given up: `try_to_unmap`.
//!
//! # The rules, for each entry
//!
//! 1. It is cleared, under its lock. The flush is put off ([`cpu`](crate::cpu)).
//! 2. *Swap space.* The slot gets one more use. Then exclusivity is given up, as everywhere: who finds the page pinned, by now
//!    or never, puts the entry back. The entry that names the slot remembers that the page was exclusive: whoever has a
//!    reference that is no pin will go on writing to this page, and the fault that brings it back must not make another of it.
//! 3. *Given up (`MADV_FREE`).* A full barrier; the references; a read barrier; the dirty bit. If anybody but the mappings
//!    and reclaim has a reference, or the page is dirty, the entry is put back, and the page belongs to swap space again.
//!
//! # What happens when a walker comes
//!
//! - before 1: its pin, or its reference, is seen by 2 or 3, and the entry comes back. In 2 a mere reference is not looked for:
//!   the folio stays in the swap cache for its sake, because its count cannot be frozen;
//! - after 1: its recheck fails. Its reference may make 3 fail all the same.
//!
//! Who took a reference, wrote, marked the page dirty and dropped the reference before 3 looked at the count: that is what the
//! read barrier is for.

use super::page_vma_mapped::{PageVmaMappedWalk, Sought};
use super::rmap::{Place, ptep_clear, rmap_walk};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Page, PageFlags, clear_page_flags, folio_mapped, folio_mark_dirty, folio_put,
    folio_ref_count_is, page_anon_exclusive, page_remove_rmap, page_try_share_anon_rmap,
};
use crate::lkmm::{read_once, smp_mb, smp_rmb};
use crate::mm::{Mm, invalidate_range_end, invalidate_range_start};
use crate::pgtable::Entry;
use crate::step::Step;
use crate::swap::{swap_duplicate, swap_free};

/// `try_to_unmap`: a locked folio, up to the first entry that stays. Whether that is all of them is told by its map count.
/// The flush is put off if `batch` (`TTU_BATCH_FLUSH`).
pub(super) fn try_to_unmap(cpu: &Cpu<'_>, folio: Folio<'_>, batch: bool) {
    let _span = cpu.span("try_to_unmap");
    rmap_walk(cpu, folio, false, |place| {
        // folio_not_mapped
        try_to_unmap_one(cpu, folio, place, batch) && folio_mapped(cpu, folio)
    });
}

/// `try_to_unmap_one`, of one area: whether to go on.
fn try_to_unmap_one<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, place: Place<'m>, batch: bool) -> bool {
    let _span = cpu.span("try_to_unmap_one");
    let Place { mm, range, .. } = place;
    let sought = Sought::Mappings { sync: false };
    let walk = PageVmaMappedWalk::new(cpu, mm, folio, range, sought);
    invalidate_range_start(cpu, mm);
    let all = unmap_mapped(cpu, folio, mm, walk, batch);
    invalidate_range_end(cpu, mm);
    all
}

/// The same, of the entries that the walk finds.
fn unmap_mapped<'m>(
    cpu: &Cpu<'m>,
    folio: Folio<'m>,
    mm: &Mm,
    mut walk: PageVmaMappedWalk<'_, 'm>,
    batch: bool,
) -> bool {
    while let Some(ptep) = walk.next() {
        let page = cpu.machine().page(ptep.get(cpu).pfn());
        let exclusive = page_anon_exclusive(cpu, page);
        let pte = ptep_clear(cpu, mm, (ptep, walk.address()), batch);
        if pte.is_dirty() {
            folio_mark_dirty(cpu, folio.head());
        }
        let instead = if folio.test(cpu, PageFlags::LAZYFREE) {
            may_discard(cpu, folio).then_some(Entry::NONE)
        } else {
            swap_out(cpu, folio, page, exclusive)
        };
        let Some(instead) = instead else {
            ptep.set(cpu, pte);
            walk.done();
            return false;
        };
        if !instead.is_none() {
            ptep.set(cpu, instead);
        }
        page_remove_rmap(cpu, page);
        folio_put(cpu, folio);
    }
    true
}

/// The entry that stands for a page of the swap cache from now on; none if it may be pinned.
fn swap_out(cpu: &Cpu<'_>, folio: Folio<'_>, page: &Page, exclusive: bool) -> Option<Entry> {
    let slot = read_once(cpu, folio.head().swap);
    if !swap_duplicate(cpu, slot) {
        return None;
    }
    if exclusive && !give_up_exclusivity(cpu, folio, page) {
        cpu.remark("maybe pinned: the entry is put back");
        swap_free(cpu, slot);
        return None;
    }
    // ORDERING: none: a word in the entry. Without it: R11, of whoever has a reference that is no pin. Step
    // `swap-exclusive`.
    let remembered = exclusive && cpu.does(Step::SwapExclusive);
    Some(Entry::swap(slot, remembered))
}

/// `page_try_share_anon_rmap`; a kernel that does not ask for pins once the entry is cleared just clears the bit.
fn give_up_exclusivity(cpu: &Cpu<'_>, folio: Folio<'_>, page: &Page) -> bool {
    // ORDERING: that of page_try_share_anon_rmap. Pairs with pin-barrier (P12). Without the look: R11. Step
    // `swap-checks-pins`.
    if cpu.does(Step::SwapChecksPins) {
        return page_try_share_anon_rmap(cpu, folio, page);
    }
    clear_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE);
    true
}

/// Whether a page that `MADV_FREE` gave up may be discarded. If not, it belongs to swap space again.
fn may_discard(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    // ORDERING: full, between the cleared entry and the look at the references. Pairs with pin-barrier (P12). Without it, where
    // neither the clear nor what is sent of the flush orders anything: R08. Step `lazyfree-barrier`.
    if cpu.does(Step::LazyfreeBarrier) {
        smp_mb(cpu);
    }
    // Without it: R08. Step `lazyfree-refs`. The isolation's reference, and one for each mapping.
    let alone = !cpu.does(Step::LazyfreeRefs) || {
        let mapped = read_once(cpu, folio.head().mapcount);
        folio_ref_count_is(cpu, folio, 1 + mapped)
    };
    // ORDERING: read barrier between the references and the dirty bit: who dropped its reference before that look has marked
    // the page before it dropped it. Pairs with put-ordered (P27). Without it: R08 (b). Step `lazyfree-rmb`.
    if cpu.does(Step::LazyfreeRmb) {
        smp_rmb(cpu);
    }
    if alone && !folio.test(cpu, PageFlags::DIRTY) {
        return true;
    }
    clear_page_flags(cpu, folio.head(), PageFlags::LAZYFREE);
    false
}
