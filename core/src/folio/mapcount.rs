//! How often a page is mapped: `_mapcount`, `_entire_mapcount`, `_nr_pages_mapped`.
//!
//! # What is counted
//!
//! 1. PTEs are counted at the page that they map, entries above that at the head of the folio, in another word.
//! 2. A large folio has a third word: how many of its pages have a PTE, and whether it has an entry above. It is changed by
//!    whoever makes one of the other two begin or end, *after* that, and orders nothing.
//! 3. Whoever finds by the third word that a part of an anonymous folio is mapped no more queues it, to be split.
//!
//! # What a change of a count orders
//!
//! The kernel has a word for each case, and their orders differ:
//!
//! | who | here | the kernel's atomic | order |
//! | --- | --- | --- | --- |
//! | one more mapping of a page that has had some | [`page_add_rmap`], [`folio_add_rmap_pmd`] | `atomic_inc_and_test` | full |
//! | one mapping less | [`page_remove_rmap`], [`folio_remove_rmap_pmd`] | `atomic_add_negative` | full |
//! | one more, of a page that is mapped, for a child | [`page_dup_rmap`], [`folio_dup_rmap_pmd`] | `atomic_inc` | none |
//! | the first mapping of a page that nobody else knows | [`page_add_new_rmap`], [`folio_add_new_rmap_pmd`] | `atomic_set` | none, and no RMW |
//!
//! hugetlb's pages are counted by the second word alone, as a whole, and by nobody who asks what it was: `atomic_inc` and `atomic_dec`
//! ([`folio_dup_rmap_pmd`], [`hugetlb_remove_rmap`]). Who clears an entry of theirs has no barrier of the count's behind it.
//!
//! The first two return a value, which feeds statistics; that they are full barriers is a gift. Who clears an entry and then
//! gives its mapping up has a barrier between the entry and all that comes after.

use super::{COMPOUND_MAPPED, Folio, Page, PageFlags, deferred_split_folio, page_folio};
use crate::cpu::Cpu;
use crate::lkmm::{
    atomic_add, atomic_inc_and_test, atomic_sub_and_test, read_once, read_once_is_below, write_once,
};
use crate::step::Step;
use crate::sync::{Rmw, RmwOrder, Word};

/// The order of those changes that return a value.
fn ordered(cpu: &Cpu<'_>) -> RmwOrder {
    // ORDERING: full, between a cleared entry and the look at the references that follows. Pairs with pin-barrier (P12). Without
    // it: R57; and without put-ordered (P27) as well, pte-clear/shared-look. Step `rmap-ordered`.
    if cpu.does(Step::RmapOrdered) {
        RmwOrder::Full
    } else {
        RmwOrder::Relaxed
    }
}

/// `atomic_add_return_relaxed` of `_nr_pages_mapped`.
#[track_caller]
fn add_pages_mapped(cpu: &Cpu<'_>, folio: Folio<'_>, n: i32) -> i32 {
    let before =
        (folio.head().nr_pages_mapped).rmw(cpu, Rmw::Add(n.into_word()), RmwOrder::Relaxed);
    before + n
}

/// The folio of a page, if it is a large one.
#[track_caller]
fn large_folio<'m>(cpu: &Cpu<'m>, page: &Page) -> Option<Folio<'m>> {
    // A machine without large folios is spared the question.
    if !cpu.machine().large_folios {
        return None;
    }
    let folio = page_folio(cpu, cpu.machine().page(page.pfn));
    folio.test(cpu, PageFlags::HEAD).then_some(folio)
}

/// One more PTE of a page that has been mapped before (`page_add_anon_rmap`; since v6.8 `folio_add_anon_rmap_pte`).
#[track_caller]
pub fn page_add_rmap(cpu: &Cpu<'_>, page: &Page) {
    let first = atomic_inc_and_test(cpu, page.mapcount, 0, ordered(cpu));
    if first && let Some(folio) = large_folio(cpu, page) {
        add_pages_mapped(cpu, folio, 1);
    }
}

/// The same of an entry that maps all of a folio (`RMAP_COMPOUND`; since v6.8 `folio_add_anon_rmap_pmd`).
#[track_caller]
pub fn folio_add_rmap_pmd(cpu: &Cpu<'_>, folio: Folio<'_>) {
    if atomic_inc_and_test(cpu, folio.head().entire_mapcount, 0, ordered(cpu)) {
        add_pages_mapped(cpu, folio, COMPOUND_MAPPED);
    }
}

/// One PTE less (`page_remove_rmap`; since v6.8 `folio_remove_rmap_pte`).
#[track_caller]
pub fn page_remove_rmap(cpu: &Cpu<'_>, page: &Page) {
    let last = atomic_sub_and_test(cpu, page.mapcount, 1, ordered(cpu));
    if last && let Some(folio) = large_folio(cpu, page) {
        let left = add_pages_mapped(cpu, folio, -1);
        if left < COMPOUND_MAPPED {
            queue_if_anon(cpu, folio);
        }
    }
}

/// One entry less that maps all of a folio (since v6.8 `folio_remove_rmap_pmd`).
#[track_caller]
pub fn folio_remove_rmap_pmd(cpu: &Cpu<'_>, folio: Folio<'_>) {
    if !atomic_sub_and_test(cpu, folio.head().entire_mapcount, 1, ordered(cpu)) {
        return;
    }
    let left = add_pages_mapped(cpu, folio, -COMPOUND_MAPPED);
    // Otherwise another such mapping has come meanwhile. Or else: are some pages mapped by PTEs, and not all?
    let some = left < COMPOUND_MAPPED && left > 0;
    if some && left < folio.nr_pages(cpu) as i32 {
        queue_if_anon(cpu, folio);
    }
}

/// One entry less that maps a page of hugetlb's (`page_remove_rmap` of such a page; since v6.8 `hugetlb_remove_rmap`). Orders nothing.
#[track_caller]
pub fn hugetlb_remove_rmap(cpu: &Cpu<'_>, folio: Folio<'_>) {
    atomic_add(cpu, folio.head().entire_mapcount, -1);
}

/// Some pages of a folio are mapped no more. (v6.6 asks for folios that a pmd can map; it makes no other anonymous ones, and
/// v6.8, which does, asks for large ones.)
#[track_caller]
fn queue_if_anon(cpu: &Cpu<'_>, folio: Folio<'_>) {
    if folio.is_anon(cpu) {
        deferred_split_folio(cpu, folio);
    }
}

/// One more mapping of a page that is mapped, for a child (`__page_dup_rmap`). Orders nothing.
#[track_caller]
pub fn page_dup_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_add(cpu, page.mapcount, 1);
}

/// The same of an entry that maps all of a folio; and every mapping of a page of hugetlb's that is in a file
/// (`page_dup_file_rmap`).
#[track_caller]
pub fn folio_dup_rmap_pmd(cpu: &Cpu<'_>, folio: Folio<'_>) {
    atomic_add(cpu, folio.head().entire_mapcount, 1);
}

/// The first mapping of a page that nobody else maps or looks at yet (`folio_add_new_anon_rmap`): a store.
#[track_caller]
pub fn page_add_new_rmap(cpu: &Cpu<'_>, page: &Page) {
    write_once(cpu, page.mapcount, 1);
}

/// The same of a folio that a pmd is about to map.
#[track_caller]
pub fn folio_add_new_rmap_pmd(cpu: &Cpu<'_>, folio: Folio<'_>) {
    write_once(cpu, folio.head().entire_mapcount, 1);
    write_once(cpu, folio.head().nr_pages_mapped, COMPOUND_MAPPED);
}

/// The same of all pages of a large folio that PTEs are about to map (v6.8).
#[track_caller]
pub fn folio_add_new_rmap_range(cpu: &Cpu<'_>, folio: Folio<'_>, pages: u32) {
    for n in 0..pages {
        page_add_new_rmap(cpu, cpu.machine().page(folio.head().pfn.plus(n)));
    }
    write_once(cpu, folio.head().nr_pages_mapped, pages as i32);
}

/// `folio_mapped`: whether any page of a folio is mapped anywhere.
#[track_caller]
pub fn folio_mapped(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let head = folio.head();
    if cpu.machine().large_folios && folio.test(cpu, PageFlags::HEAD) {
        return !read_once_is_below(cpu, head.nr_pages_mapped, 1)
            || !read_once_is_below(cpu, head.entire_mapcount, 1);
    }
    !read_once_is_below(cpu, head.mapcount, 1)
}

/// `folio_mapcount`: how often a folio is mapped, counting every PTE, and each entry above that once.
#[track_caller]
pub fn folio_mapcount(cpu: &Cpu<'_>, folio: Folio<'_>) -> i32 {
    let head = folio.head();
    if !cpu.machine().large_folios || !folio.test(cpu, PageFlags::HEAD) {
        return read_once(cpu, head.mapcount);
    }
    let entire = read_once(cpu, head.entire_mapcount);
    // FOLIO_PAGES_MAPPED: in the common case, no page is mapped by a PTE.
    if read_once(cpu, head.nr_pages_mapped) & (COMPOUND_MAPPED - 1) == 0 {
        return entire;
    }
    let by_ptes: i32 = (0..folio.nr_pages(cpu))
        .map(|n| read_once(cpu, cpu.machine().page(head.pfn.plus(n)).mapcount))
        .sum();
    entire + by_ptes
}

/// `page_trans_huge_mapcount`, of kernels before v5.18: how often that page of a folio is mapped which is mapped most often. The pages first,
/// and then the folio as a whole: right only as long as nobody moves mappings from one to the other, which is the split of a pmd.
/// (Those kernels have all pages counted once more for as long as the folio is mapped both ways, and take that off again.)
#[track_caller]
pub fn page_trans_huge_mapcount(cpu: &Cpu<'_>, folio: Folio<'_>) -> i32 {
    let head = folio.head();
    let by_ptes = (0..folio.nr_pages(cpu))
        .map(|n| read_once(cpu, cpu.machine().page(head.pfn.plus(n)).mapcount))
        .max();
    by_ptes.unwrap_or(0) + read_once(cpu, head.entire_mapcount)
}
