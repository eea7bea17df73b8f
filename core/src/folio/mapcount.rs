//! `_mapcount`: how often a page is mapped.

use super::{Folio, Page};
use crate::cpu::Cpu;
use crate::lkmm::{atomic_add, read_once_is_below};

/// One more mapping of a page (`page_add_anon_rmap` and its kin).
#[track_caller]
pub fn page_add_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_add(cpu, page.mapcount, 1);
}

/// One mapping less (`page_remove_rmap`).
#[track_caller]
pub fn page_remove_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_add(cpu, page.mapcount, -1);
}

/// `folio_mapped`: whether any page of a folio is mapped anywhere.
#[track_caller]
pub fn folio_mapped(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let head = folio.head().pfn;
    (0..folio.nr_pages(cpu)).any(|n| {
        let page = cpu.machine().page(head.plus(n));
        !read_once_is_below(cpu, page.mapcount, 1)
    })
}
