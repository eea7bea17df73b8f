//! Device memory in the walk: `__gup_device_huge` and `undo_dev_pagemap`.
//!
//! What differs from ordinary memory
//!
//! 1. before a page comes its pagemap, once for all pages in a row that have the same ([`get_dev_pagemap`]);
//! 2. of a leaf above the PTE level each page is taken by itself, as slow GUP takes pages: the count is raised without a
//!    condition, and *without a barrier*. The leaf is looked at again after the last one;
//! 3. what fails gives back all that was recorded since the table, or the leaf, began: of a table that includes
//!    ordinary pages. What was recorded before stays.

use super::{Foll, Recorded, put_page, try_grab_page, unpin_user_page};
use crate::cpu::Cpu;
use crate::folio::{PageFlags, Pfn, clear_page_flags, page_folio, set_page_flags};
use crate::mm::{get_dev_pagemap, put_dev_pagemap};
use crate::pgtable::{Entry, EntryPtr, PAGE_SIZE};
use crate::step::Step;

/// `undo_dev_pagemap`: gives back what was recorded since there were `start` pages.
pub(super) fn undo_dev_pagemap(
    cpu: &Cpu<'_>,
    recorded: &mut Recorded<'_>,
    start: usize,
    flags: Foll,
) {
    let _span = cpu.span("undo_dev_pagemap");
    while recorded.count() > start {
        let Some(page) = recorded.take_last() else {
            return;
        };
        // ClearPageReferenced: the head's, of an ordinary page.
        let head = page_folio(cpu, page).head();
        clear_page_flags(cpu, head, PageFlags::REFERENCED);
        if flags.contains(Foll::PIN) {
            unpin_user_page(cpu, page);
        } else {
            put_page(cpu, page);
        }
    }
}

/// `__gup_device_huge_pmd`, `__gup_device_huge_pud`: the pages of a device's leaf from `addr` to `end`, of which `first` is
/// the first. Whether the walk may go on.
pub(super) fn gup_device_huge<'m>(
    cpu: &Cpu<'m>,
    recorded: &mut Recorded<'m>,
    flags: Foll,
    (leaf, ptr): (Entry, EntryPtr<'m>),
    first: Pfn,
    (addr, end): (u64, u64),
) -> bool {
    let _span = cpu.span("__gup_device_huge");
    let start = recorded.count();
    if !take_pages(cpu, recorded, flags, first, (addr, end)) {
        return false;
    }
    // ORDERING: none, and v6.6 to v6.8 have none: the counts were raised by void atomics, and nothing lies between them
    // and this look but the pagemap's reference, which orders nothing. A locked instruction on x86; on arm64 the look may
    // come first. Pairs with every clear of a device's leaf. Without the look: R16. Step `pte-recheck`.
    if cpu.does(Step::PteRecheck) && !ptr.is(cpu, leaf) {
        undo_dev_pagemap(cpu, recorded, start, flags);
        return false;
    }
    true
}

/// `__gup_device_huge`.
fn take_pages<'m>(
    cpu: &Cpu<'m>,
    recorded: &mut Recorded<'m>,
    flags: Foll,
    first: Pfn,
    (mut addr, end): (u64, u64),
) -> bool {
    let start = recorded.count();
    let mut pagemap = None;
    let mut pfn = first;
    let all = loop {
        pagemap = get_dev_pagemap(cpu, pfn, pagemap);
        if pagemap.is_none() {
            break false;
        }
        let page = cpu.pfn_to_page(pfn);
        if page.memory.p2pdma && !flags.contains(Foll::PCI_P2PDMA) {
            break false;
        }
        // Before the page is got, and not taken back if it is not.
        let head = page_folio(cpu, page).head();
        set_page_flags(cpu, head, PageFlags::REFERENCED);
        if try_grab_page(cpu, page, flags).is_err() {
            break false;
        }
        recorded.record(cpu, page);
        pfn = pfn.plus(1);
        addr = addr.wrapping_add(PAGE_SIZE);
        if addr == end {
            break true;
        }
    };
    if !all {
        undo_dev_pagemap(cpu, recorded, start, flags);
    }
    if let Some(pagemap) = pagemap {
        put_dev_pagemap(cpu, pagemap);
    }
    all
}
