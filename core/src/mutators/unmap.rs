//! A folio is unmapped for good, its contents kept in swap space or given up: `try_to_unmap`.
//!
//! # The rules, for each entry
//!
//! Before the first of an area, and after the last, secondary MMUs are told.
//!
//! 1. It is cleared, under its lock. For reclaim the flush is put off ([`cpu`](crate::cpu)).
//! 2. *Swap space.* The slot gets one more use. Then exclusivity is given up, as everywhere: who finds the page pinned, by now
//!    or never, puts the entry back. The entry that names the slot remembers that the page was exclusive: whoever has a
//!    reference that is no pin will go on writing to this page, and the fault that brings it back must not make another of it.
//! 3. *Given up (`MADV_FREE`).* A full barrier; the references; a read barrier; the dirty bit. If anybody but the mappings
//!    and reclaim has a reference, or the page is dirty, the entry is put back, and then the page belongs to swap space again.
//! 4. *Memory has failed.* An entry says so from now on. Nobody is asked, not even who has pinned the page: a pin is not
//!    taken back, and whoever has one meets the failure when he uses the page.
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
use super::rmap::{Place, invalidating, ptep_clear, rmap_walk};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Page, PageFlags, clear_page_flags, folio_mapped, folio_mark_dirty, folio_put,
    folio_ref_count_is, page_anon_exclusive, page_is_poisoned, page_remove_rmap,
    page_try_share_anon_rmap,
};
use crate::lkmm::{read_once, smp_mb, smp_rmb};
use crate::pgtable::{Bits, Entry};
use crate::step::Step;
use crate::swap::{swap_duplicate, swap_free};

/// Who calls `try_to_unmap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnmapFor {
    /// Reclaim, which puts flushes off: `TTU_BATCH_FLUSH`.
    Reclaim,
    /// A memory failure, of a page that is not in the swap cache: `TTU_SYNC | TTU_HWPOISON`.
    MemoryFailure,
    /// The same of one that is there: `TTU_SYNC`. Its contents are known to be lost there.
    MemoryFailureOfSwapCache,
}

/// `try_to_unmap`: a locked folio, up to the first entry that stays. Whether that is all of them is told by its map count.
pub(super) fn try_to_unmap(cpu: &Cpu<'_>, folio: Folio<'_>, why: UnmapFor) {
    let _span = cpu.span("try_to_unmap");
    rmap_walk(cpu, folio, false, |place| {
        let _span = cpu.span("try_to_unmap_one");
        let all = invalidating(cpu, place.mm, || try_to_unmap_one(cpu, folio, place, why));
        // folio_not_mapped
        all && folio_mapped(cpu, folio)
    });
}

/// What becomes of an entry that was cleared.
enum Instead {
    /// This one stands in its place, and the mapping is gone.
    Entry(Entry),
    /// It is put back.
    Back,
    /// It is put back, and the page, which was given up, belongs to swap space again.
    BackToSwap,
}

/// `try_to_unmap_one`, of one area: whether to go on.
fn try_to_unmap_one<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, place: Place<'m>, why: UnmapFor) -> bool {
    let Place { mm, range, .. } = place;
    let sync = why != UnmapFor::Reclaim;
    let mut walk = PageVmaMappedWalk::new(cpu, mm, folio, range, Sought::Mappings { sync });
    while let Some(ptep) = walk.next() {
        let page = cpu.machine().page(ptep.get(cpu).pfn());
        let exclusive = page_anon_exclusive(cpu, page);
        let put_off = why == UnmapFor::Reclaim;
        let pte = ptep_clear(cpu, mm, (ptep, walk.address()), put_off);
        if pte.is_dirty() {
            folio_mark_dirty(cpu, folio.head());
        }
        let instead = if why == UnmapFor::MemoryFailure && page_is_poisoned(cpu, page) {
            Instead::Entry(poisoned(cpu, pte))
        } else if folio.test(cpu, PageFlags::LAZYFREE) {
            discard(cpu, folio)
        } else {
            swap_out(cpu, folio, page, (pte, exclusive))
        };
        match instead {
            Instead::Entry(Entry::NONE) => {}
            Instead::Entry(entry) => ptep.set(cpu, entry),
            Instead::Back | Instead::BackToSwap => {
                ptep.set(cpu, pte);
                if matches!(instead, Instead::BackToSwap) {
                    // folio_set_swapbacked
                    clear_page_flags(cpu, folio.head(), PageFlags::LAZYFREE);
                }
                walk.done();
                return false;
            }
        }
        page_remove_rmap(cpu, page);
        folio_put(cpu, folio);
    }
    true
}

/// The entry that says that memory has failed.
fn poisoned(cpu: &Cpu<'_>, pte: Entry) -> Entry {
    // Without it the next fault finds nothing there, and brings another page: R52. Step `poison-entry`.
    if cpu.does(Step::PoisonEntry) {
        pte.poisoned()
    } else {
        Entry::NONE
    }
}

/// The entry that stands for a page of the swap cache from now on, unless it may be pinned.
fn swap_out(
    cpu: &Cpu<'_>,
    folio: Folio<'_>,
    page: &Page,
    (pte, exclusive): (Entry, bool),
) -> Instead {
    let slot = read_once(cpu, folio.head().swap);
    if !swap_duplicate(cpu, slot) {
        return Instead::Back;
    }
    if exclusive && !give_up_exclusivity(cpu, folio, page) {
        cpu.remark("maybe pinned: the entry is put back");
        swap_free(cpu, slot);
        return Instead::Back;
    }
    // ORDERING: none: a word in the entry. Without it: R11, of whoever has a reference that is no pin. Step
    // `swap-exclusive`.
    let remembered = exclusive && cpu.does(Step::SwapExclusive);
    let entry = Entry::swap(slot, remembered);
    Instead::Entry(if pte.is_uffd_wp() {
        // pte_swp_mkuffd_wp
        entry.with(Bits::UFFD_WP)
    } else {
        entry
    })
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

/// A page that `MADV_FREE` gave up is discarded, if it may be.
fn discard(cpu: &Cpu<'_>, folio: Folio<'_>) -> Instead {
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
        return Instead::Entry(Entry::NONE);
    }
    Instead::BackToSwap
}
