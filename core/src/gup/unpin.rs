//! Pins given back: `unpin_user_page` and its kin, and the marks that go with it.
//!
//! What a driver's device wrote to must be marked dirty before it is given back: afterwards the page may be anybody's. Of a page of a
//! file that needs the folio's lock, which keeps the file in place meanwhile.

use super::Foll;
use super::grab::{add_pin, gup_put_folio, page_folio_of};
use crate::cpu::Cpu;
use crate::folio::{
    Folio, Page, PageFlags, folio_lock, folio_mark_dirty, is_zero_page, page_anon_exclusive,
    page_is_in_folio,
};
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
    by_folio(cpu, pages, put);
}

/// `unpin_user_pages_lockless`: as [`unpin_user_pages`], but of pages that may be shared with a child by
/// now, so nobody asks whether they are exclusive.
pub(super) fn unpin_user_pages_lockless(cpu: &Cpu<'_>, pages: &[&Page]) {
    let _span = cpu.span("unpin_user_pages_lockless");
    by_folio(cpu, pages, put);
}

/// Gives back the pins of pages, neighbours in one folio at once: `unpin` takes how many they are.
fn by_folio<'m>(cpu: &Cpu<'m>, pages: &[&Page], unpin: impl Fn(&Cpu<'m>, Folio<'m>, i32)) {
    let mut rest = pages;
    while let Some(&first) = rest.first() {
        let (folio, count) = gup_folio_next(cpu, first, rest);
        unpin(cpu, folio, count as i32);
        rest = &rest[count..];
    }
}

fn put(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) {
    gup_put_folio(cpu, folio, refs, Foll::PIN);
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
/// look is made without the lock: who cleans the folio just then reads its contents later than the look, and with them what a
/// device wrote. What a CPU wrote may be in its store buffer yet: between that and the look there is no barrier (F12).
pub fn unpin_user_pages_dirty_lock(cpu: &Cpu<'_>, pages: &[&Page], make_dirty: bool) {
    let _span = cpu.span("unpin_user_pages_dirty_lock");
    if !make_dirty {
        unpin_user_pages(cpu, pages);
        return;
    }
    sanity_check_pinned_pages(cpu, pages);
    by_folio(cpu, pages, mark_dirty_and_put);
}

/// `unpin_user_page_range_dirty_lock`: the same of `count` pages in a row, of which `page` is the first. Nobody asks whether they are
/// exclusive.
pub fn unpin_user_page_range_dirty_lock(cpu: &Cpu<'_>, page: &Page, count: u32, make_dirty: bool) {
    let _span = cpu.span("unpin_user_page_range_dirty_lock");
    let unpin = if make_dirty { mark_dirty_and_put } else { put };
    let mut done = 0;
    while done < count {
        let start = cpu.machine().page(page.pfn.plus(done));
        let (folio, in_folio) = gup_folio_range_next(cpu, start, count - done);
        unpin(cpu, folio, in_folio as i32);
        done += in_folio;
    }
}

fn mark_dirty_and_put(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) {
    // ORDERING: the drop's (P27): the mark comes before it. Pairs with lazyfree-rmb (M-P10). The other way round a page that was
    // written to looks clean, and nobody has it: it is discarded. Without it: R08. Step `dirty-before-unpin`.
    let before = cpu.does(Step::DirtyBeforeUnpin);
    if !before {
        put(cpu, folio, refs);
    }
    if !folio.test(cpu, PageFlags::DIRTY) {
        folio_lock(cpu, folio);
        folio_mark_dirty(cpu, folio.head());
        folio.unlock(cpu);
    }
    if before {
        put(cpu, folio, refs);
    }
}

/// `folio_add_pin`: one pin more, of a folio that the caller has pinned already. Of the zero page none is counted.
pub fn folio_add_pin(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("folio_add_pin");
    if is_zero_page(cpu, folio.head()) {
        return;
    }
    add_pin(cpu, folio);
}
