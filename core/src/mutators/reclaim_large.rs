//! A large folio on its way to swap space: split first, page by page after that.
//!
//! # The order, with the folio locked and isolated
//!
//! 1. If anybody but the mappings and reclaim has a reference it is left alone (`can_split_folio`). Like every first look this one
//!    decides nothing.
//! 2. What no pmd maps is split at once: some of its pages may be free without a slot. What a pmd maps gets slots as a whole, if
//!    there are enough in a row (`CONFIG_THP_SWAP`). Here there never are, as in a kernel without that, or where swap space is in
//!    pieces; then it is split as well.
//! 3. The tails go to reclaim's list, which has a reference of each: they are next, the first one first. The head gets its slot.
//!
//! # What happens when a walker comes
//!
//! The split asks for references once its mappings are gone, by freezing the count. Who has one, of any page, has the
//! folio stay as it was. After that the pages are small, and each goes its own way ([`reclaim`](super)).
//!
//! A large folio that `MADV_FREE` gave up is freed as one; no scenario has one.

use super::split_folio::{Tails, can_split_folio, split_folio_to};
use crate::cpu::Cpu;
use crate::folio::{Folio, PageFlags};
use crate::swap::add_to_swap;

/// The part of `shrink_folio_list` between the look at the pins and the unmapping: whether the folio, small by now, has a slot. What
/// it had more of pages is put onto the list, the last one first, where the list is taken from.
pub(super) fn add_to_swap_or_split<'m>(
    cpu: &Cpu<'m>,
    folio: Folio<'m>,
    to_list: impl FnMut(Folio<'m>),
) -> bool {
    // A machine without large folios is spared the question.
    if !cpu.machine().large_folios || !folio.test(cpu, PageFlags::HEAD) {
        return add_to_swap(cpu, folio);
    }
    if !can_split_folio(cpu, folio) {
        return false;
    }
    // folio_entire_mapcount: not looked at, because both ways lead to the split. folio_alloc_swap finds no slots in a row.
    let pages = folio.nr_pages(cpu);
    if split_folio_to(cpu, folio, Tails::OnList).is_err() {
        return false;
    }
    let tails = (1..pages)
        .rev()
        .map(|n| Folio::of(cpu.machine().page(folio.head().pfn.plus(n))));
    tails.for_each(to_list);
    add_to_swap(cpu, folio)
}
