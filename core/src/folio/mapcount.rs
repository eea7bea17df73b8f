//! `_mapcount`: how often a page is mapped.
//!
//! # What a change of the count orders
//!
//! The kernel has a word for each case, and their orders differ:
//!
//! | who | here | the kernel's atomic | order |
//! | --- | --- | --- | --- |
//! | one more mapping of a page that has had some | [`page_add_rmap`] | `atomic_inc_and_test` | full |
//! | one mapping less | [`page_remove_rmap`] | `atomic_add_negative` | full |
//! | one more, of a page that is mapped, for a child | [`page_dup_rmap`] | `atomic_inc` | none |
//! | the first mapping of a page that nobody else knows | [`page_add_new_rmap`] | `atomic_set` | none, and no RMW |
//!
//! The first two return a value, which feeds statistics; that they are full barriers is a gift. Who clears an entry and then
//! gives its mapping up has a barrier between the entry and all that comes after.

use super::{Folio, Page};
use crate::cpu::Cpu;
use crate::lkmm::{
    atomic_add, atomic_inc_and_test, atomic_sub_and_test, read_once_is_below, write_once,
};
use crate::step::Step;
use crate::sync::RmwOrder;

/// The order of those changes that return a value.
fn ordered(cpu: &Cpu<'_>) -> RmwOrder {
    // ORDERING: full, between a cleared entry and the look at the references that follows. Pairs with pin-barrier (P12). Without
    // it and without put-ordered (P27): R12, of a page that is not exclusive. Step `rmap-ordered`.
    if cpu.does(Step::RmapOrdered) {
        RmwOrder::Full
    } else {
        RmwOrder::Relaxed
    }
}

/// One more mapping of a page that has been mapped before (`page_add_anon_rmap`; since v6.8 `folio_add_anon_rmap_pte`).
#[track_caller]
pub fn page_add_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_inc_and_test(cpu, page.mapcount, 0, ordered(cpu));
}

/// One mapping less (`page_remove_rmap`; since v6.8 `folio_remove_rmap_pte`).
#[track_caller]
pub fn page_remove_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_sub_and_test(cpu, page.mapcount, 1, ordered(cpu));
}

/// One more mapping of a page that is mapped, for a child (`__page_dup_rmap`). Orders nothing.
#[track_caller]
pub fn page_dup_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_add(cpu, page.mapcount, 1);
}

/// The first mapping of a page that nobody else maps or looks at yet (`folio_add_new_anon_rmap`): a store.
#[track_caller]
pub fn page_add_new_rmap(cpu: &Cpu<'_>, page: &Page) {
    write_once(cpu, page.mapcount, 1);
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
