//! Background actors, which take part in no race and may come to any.
//!
//! Each of them does, once, what goes on in a kernel all the time. A race with one of them beside it must hold as it
//! does without; who meets one may have to try again. None of them can be kept out: they take the locks that the kernel's
//! have, and no other.
//!
//! | name | who | what others see |
//! | --- | --- | --- |
//! | `pfn` | [`speculative_pfn_walk`] | a reference more, for a while; perhaps the last one, and the page freed by it |
//! | `lru` | [`lru_add_drain`] | a reference more, from the beginning; the LRU bit gone for a while |
//! | `ad` | [`age_and_touch`] | an entry that is another, and maps what it mapped |
//! | `freeze` | [`freeze_for_a_while`] | a count of zero, of a page that is mapped |

use super::hardware::hardware_touch;
use super::page_vma_mapped::{PageVmaMappedWalk, Sought};
use super::rmap::rmap_walk;
use crate::cpu::Cpu;
use crate::folio::{
    CompoundHead, Folio, PageFlags, Pfn, folio_put, folio_ref_freeze, page_folio, set_page_flags,
    test_and_clear_page_flag,
};
use crate::lkmm::{atomic_add_unless, read_once_is};
use crate::machine::MmId;
use crate::pgtable::EntryPtr;
use crate::sync::RmwOrder;

/// `page_idle_get_folio`: a reference of what is in a frame, if it is on the LRU, taken without knowing whose it is.
fn page_idle_get_folio<'m>(cpu: &Cpu<'m>, pfn: Pfn) -> Option<Folio<'m>> {
    let _span = cpu.span("page_idle_get_folio");
    let page = cpu.machine().page(pfn);
    if !read_once_is(cpu, page.compound_head, CompoundHead(None)) {
        return None;
    }
    let folio = Folio::of(page);
    // folio_try_get
    if !folio.test(cpu, PageFlags::LRU)
        || !atomic_add_unless(cpu, page.refcount, 1, 0, RmwOrder::Full)
    {
        return None;
    }
    if page_folio(cpu, page) == folio && folio.test(cpu, PageFlags::LRU) {
        return Some(folio);
    }
    folio_put(cpu, folio);
    None
}

/// Somebody goes through frames, whoever has them: of one, a reference is taken and dropped. Whether there was one to be had.
pub fn speculative_pfn_walk(cpu: &Cpu<'_>, pfn: Pfn) -> bool {
    let folio = page_idle_get_folio(cpu, pfn);
    if let Some(folio) = folio {
        folio_put(cpu, folio);
    }
    folio.is_some()
}

/// `lru_add_drain`, of one folio that this CPU has in a batch: it goes to its place on the LRU, unless somebody has isolated
/// it, and the batch's reference is dropped.
pub fn lru_add_drain(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("folio_batch_move_lru");
    if test_and_clear_page_flag(cpu, folio.head(), PageFlags::LRU) {
        set_page_flags(cpu, folio.head(), PageFlags::LRU);
    }
    folio_put(cpu, folio);
}

/// Page aging (`page_idle_bitmap_write`, of one frame), which takes the accessed bit out of all entries that map the page; and
/// then hardware, which uses the entry at `addr` and sets the bits that are missing. Whether there was one to use.
pub fn age_and_touch(cpu: &Cpu<'_>, pfn: Pfn, mm: MmId, addr: u64) -> bool {
    if let Some(folio) = page_idle_get_folio(cpu, pfn) {
        for_each_mapping(cpu, folio, |entry| entry.test_and_clear_young(cpu));
        folio_put(cpu, folio);
    }
    hardware_touch(cpu, mm, addr)
}

/// What is done to every entry that maps the folio, under its lock.
fn for_each_mapping(cpu: &Cpu<'_>, folio: Folio<'_>, mut visit: impl FnMut(EntryPtr<'_>)) {
    rmap_walk(cpu, folio, false, |place| {
        let sought = Sought::Mappings { sync: false };
        let mut walk = PageVmaMappedWalk::new(cpu, place.mm, folio, place.range, sought);
        while let Some(entry) = walk.next() {
            visit(entry);
        }
        true
    });
}

/// Freezes the count of a folio of which a mapping alone has a reference, under that entry's lock, and gives it back. Whether
/// it was frozen.
///
/// The kernel freezes what nobody maps any more; a walker that read the entry before cannot tell. With the lock of the only
/// entry nobody who unmaps comes in between.
pub fn freeze_for_a_while(cpu: &Cpu<'_>, pfn: Pfn) -> bool {
    let _span = cpu.span("freezer");
    let folio = Folio::of(cpu.machine().page(pfn));
    let mut was_frozen = false;
    for_each_mapping(cpu, folio, |_| {
        if let Some(frozen) = folio_ref_freeze(cpu, folio, 1) {
            frozen.unfreeze(cpu, 1);
            was_frozen = true;
        }
    });
    was_frozen
}
