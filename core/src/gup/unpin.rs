//! Pins given back: `unpin_user_page` and its kin, and the marks that go with it.
//!
//! What a driver's device wrote to must be marked dirty before it is given back: afterwards the page may be anybody's. Of a page of a
//! file that needs the folio's lock, which keeps the file in place meanwhile.

use super::Foll;
use super::grab::{gup_put_folio, page_folio_of};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, GUP_PIN_COUNTING_BIAS, Page, PageFlags, folio_lock, folio_mark_dirty, folio_ref_add,
    is_zero_page, page_anon_exclusive, page_is_in_folio,
};
use crate::lkmm::atomic_add;
use crate::step::Step;
use crate::sync::Fault;

/// `unpin_user_page`.
pub fn unpin_user_page(cpu: &Cpu<'_>, page: &Page) {
    let _span = cpu.span("unpin_user_page");
    sanity_check_pinned_page(cpu, page);
    let folio = page_folio_of(cpu, page);
    gup_put_folio(cpu, folio, 1, Foll::PIN);
}

/// `sanity_check_pinned_pages`.
pub(super) fn sanity_check_pinned_pages(cpu: &Cpu<'_>, pages: &[&Page]) {
    for page in pages {
        sanity_check_pinned_page(cpu, page);
    }
}

/// A pinned anonymous page is exclusive (I4); of a large folio it is enough that the head or the page is: nobody knows by
/// which entry it was pinned. hugetlb's is asked by its head alone.
fn sanity_check_pinned_page(cpu: &Cpu<'_>, page: &Page) {
    // A kernel that pins what is shared does not ask.
    if !cpu.does(Step::UnshareFirst) {
        return;
    }
    let folio = page_folio_of(cpu, page);
    if is_zero_page(cpu, page) || !folio.is_anon(cpu) {
        return;
    }
    // Only a large folio has another page to ask.
    let exclusive = page_anon_exclusive(cpu, folio.head())
        || folio.test(cpu, PageFlags::HEAD)
            && !folio.test(cpu, PageFlags::HUGETLB)
            && page_anon_exclusive(cpu, page);
    if !exclusive {
        cpu.fault(Fault::Bug {
            what: "a pinned anonymous page is not exclusive",
            cell: Some(page.flags.id()),
        });
    }
}

/// `unpin_user_pages`: neighbours in one folio go by one drop.
pub fn unpin_user_pages(cpu: &Cpu<'_>, pages: &[&Page]) {
    let _span = cpu.span("unpin_user_pages");
    sanity_check_pinned_pages(cpu, pages);
    unpin_by_folio(cpu, pages);
}

/// `unpin_user_pages_lockless`: as [`unpin_user_pages`], but of pages that may be shared with a child by
/// now, so nobody asks whether they are exclusive.
pub(super) fn unpin_user_pages_lockless(cpu: &Cpu<'_>, pages: &[&Page]) {
    let _span = cpu.span("unpin_user_pages_lockless");
    unpin_by_folio(cpu, pages);
}

fn unpin_by_folio(cpu: &Cpu<'_>, pages: &[&Page]) {
    let mut rest = pages;
    while let Some(&first) = rest.first() {
        let (folio, count) = gup_folio_next(cpu, first, rest);
        gup_put_folio(cpu, folio, count as i32, Foll::PIN);
        rest = &rest[count..];
    }
}

/// `gup_folio_next`: the folio of the `first` of `pages`, and how many of them in a row are in it.
fn gup_folio_next<'m>(cpu: &Cpu<'m>, first: &Page, pages: &[&Page]) -> (Folio<'m>, usize) {
    let folio = page_folio_of(cpu, first);
    let others = pages.iter().skip(1);
    let same = others.take_while(|page| page_is_in_folio(cpu, page, folio));
    (folio, 1 + same.count())
}

/// `gup_folio_range_next`: the folio of the page at `start`, and how many of the `count` pages from there on are in it.
fn gup_folio_range_next<'m>(cpu: &Cpu<'m>, start: &'m Page, count: u32) -> (Folio<'m>, u32) {
    let folio = page_folio_of(cpu, start);
    let mut in_folio = 1;
    if folio.test(cpu, PageFlags::HEAD) {
        let behind = start.pfn.0 - folio.head().pfn.0;
        in_folio = count.min(folio.nr_pages(cpu) - behind);
    }
    (folio, in_folio)
}

/// `unpin_user_pages_dirty_lock`: as [`unpin_user_pages`]; marks each folio dirty first, if `make_dirty`, unless it is already. That
/// look is made without the lock: who cleans the folio just then has its contents later than the look, and with them
/// what the device wrote.
pub fn unpin_user_pages_dirty_lock(cpu: &Cpu<'_>, pages: &[&Page], make_dirty: bool) {
    let _span = cpu.span("unpin_user_pages_dirty_lock");
    if !make_dirty {
        unpin_user_pages(cpu, pages);
        return;
    }
    sanity_check_pinned_pages(cpu, pages);
    let mut rest = pages;
    while let Some(&first) = rest.first() {
        let (folio, count) = gup_folio_next(cpu, first, rest);
        mark_dirty_and_put(cpu, folio, count as i32);
        rest = &rest[count..];
    }
}

/// `unpin_user_page_range_dirty_lock`: the same of `count` pages in a row, of which `page` is the first. Nobody asks whether they are
/// exclusive.
pub fn unpin_user_page_range_dirty_lock(cpu: &Cpu<'_>, page: &Page, count: u32, make_dirty: bool) {
    let _span = cpu.span("unpin_user_page_range_dirty_lock");
    let mut done = 0;
    while done < count {
        let start = cpu.machine().page(page.pfn.plus(done));
        let (folio, in_folio) = gup_folio_range_next(cpu, start, count - done);
        if make_dirty {
            mark_dirty_and_put(cpu, folio, in_folio as i32);
        } else {
            gup_put_folio(cpu, folio, in_folio as i32, Foll::PIN);
        }
        done += in_folio;
    }
}

fn mark_dirty_and_put(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) {
    if !folio.test(cpu, PageFlags::DIRTY) {
        folio_lock(cpu, folio);
        folio_mark_dirty(cpu, folio.head());
        folio.unlock(cpu);
    }
    gup_put_folio(cpu, folio, refs, Foll::PIN);
}

/// `folio_add_pin`: one pin more, of a folio that the caller has pinned already. Of the zero page none is counted.
pub fn folio_add_pin(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("folio_add_pin");
    if is_zero_page(cpu, folio.head()) {
        return;
    }
    if folio.test(cpu, PageFlags::HEAD) {
        folio_ref_add(cpu, folio, 1);
        atomic_add(cpu, folio.head().pincount, 1);
    } else {
        folio_ref_add(cpu, folio, GUP_PIN_COUNTING_BIAS);
    }
}
