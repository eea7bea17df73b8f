//! The huge zero page: made when a read fault asks for it, given back when memory is short.
//!
//! # The protocol
//!
//! Its head, its frame's number, by which pmds are told to map it, and the count of those who use it are three words.
//!
//! 1. An mm takes one reference when it maps the page first, and keeps it until it ends: so no pmd of it ever maps a page that
//!    was given back, and nobody counts mappings.
//! 2. To get a reference is to raise the count, unless it is zero. If it is, a new page is made: head, number, and last of all the
//!    count, of which one more is for the shrinker to take.
//! 3. The shrinker takes the last reference, by an exchange of 1 for 0; then head and number go, and the page is freed.
//!
//! # What comes between
//!
//! Of v6.6 and v6.8 only the head is exchanged (for nothing, and nothing for the new one), and the number is stored: the shrinker's
//! store may come after that of somebody who has made the next page meanwhile. From then on no pmd is told to map the huge zero
//! page: it is counted, split and dropped as an ordinary huge page. 33192a26cdde has 2 and 3 under a lock, asks for the count again
//! there, and sets it with release (M-P94).

use super::Mm;
use crate::cpu::Cpu;
use crate::folio::{BlockLink, Folio, Owner, Page, alloc_folio, folio_put};
use crate::lkmm::{
    atomic_add_unless, atomic_cmpxchg, atomic_sub_and_test, read_once, read_once_is,
    smp_store_release, write_once, xchg,
};
use crate::machine::HugeZero;
use crate::pgtable::Entry;
use crate::step::Step;
use crate::sync::{Fault, LoadOrder, Rmw, RmwOrder, Until, Word};

const NONE: BlockLink = BlockLink(None);

/// `is_huge_zero_pmd`. Where no read fault may map the page, nobody asks.
#[track_caller]
pub fn is_huge_zero_pmd(cpu: &Cpu<'_>, pmd: Entry) -> bool {
    let Some(zero) = &cpu.machine().huge_zero else {
        return false;
    };
    pmd.pmd_present() && read_once_is(cpu, zero.pfn, BlockLink(Some(pmd.pfn())))
}

/// `is_huge_zero_page`.
#[track_caller]
pub fn is_huge_zero_page(cpu: &Cpu<'_>, page: &Page) -> bool {
    let Some(zero) = &cpu.machine().huge_zero else {
        return false;
    };
    read_once_is(cpu, zero.page, BlockLink(Some(page.pfn)))
}

/// `mm_get_huge_zero_page`: the head of the huge zero page, of which the mm has a reference from now on; `None` if there is no
/// memory for one.
pub fn mm_get_huge_zero_page<'m>(cpu: &Cpu<'m>, mm: &Mm, zero: &HugeZero) -> Option<&'m Page> {
    let _span = cpu.span("mm_get_huge_zero_page");
    if !read_once_is(cpu, mm.huge_zero, true) {
        if !get_huge_zero_page(cpu, zero) {
            return None;
        }
        if test_and_mark(cpu, mm) {
            put_huge_zero_page(cpu, zero);
        }
    }
    let head = read_once(cpu, zero.page).0;
    head.map(|head| cpu.machine().page(head))
}

/// `test_and_set_bit(MMF_HUGE_ZERO_PAGE)`: whether it was set.
fn test_and_mark(cpu: &Cpu<'_>, mm: &Mm) -> bool {
    mm.huge_zero
        .rmw(cpu, Rmw::Or(true.into_word()), RmwOrder::Full)
}

/// `get_huge_zero_page`: whether there is one now, with one more reference.
fn get_huge_zero_page(cpu: &Cpu<'_>, zero: &HugeZero) -> bool {
    let _span = cpu.span("get_huge_zero_page");
    loop {
        if atomic_add_unless(cpu, zero.refcount, 1, 0, RmwOrder::Full) {
            return true;
        }
        let order = cpu.machine().geometry.pages_per_pmd().trailing_zeros();
        let Some(new) = alloc_folio(cpu, order as u8, Owner::Us) else {
            return false;
        };
        // ORDERING: the lock's: head, number and count change together. Pairs with the shrinker's. Without it: the number is lost.
        // Step `huge-zero-lock`.
        let set = if cpu.does(Step::HugeZeroLock) {
            set_locked(cpu, zero, new)
        } else {
            set(cpu, zero, new)
        };
        if set {
            return true;
        }
    }
}

/// Under the lock: the new page in place of none, unless somebody was first, of whose page a reference is taken. One of the two,
/// always.
fn set_locked(cpu: &Cpu<'_>, zero: &HugeZero, new: Folio<'_>) -> bool {
    zero.lock.lock(cpu);
    let theirs = atomic_add_unless(cpu, zero.refcount, 1, 0, RmwOrder::Full);
    if !theirs {
        let head = BlockLink(Some(new.head().pfn));
        write_once(cpu, zero.page, head);
        write_once(cpu, zero.pfn, head);
        // ORDERING: release, last: whoever raises the count, which needs no lock, finds head and number. Pairs with the full order
        // of that. No step: the lock is.
        smp_store_release(cpu, zero.refcount, 2);
    }
    zero.lock.unlock(cpu);
    if theirs {
        folio_put(cpu, new);
    }
    true
}

/// As v6.6 has it: whether the new page is the one now. If not, it was freed again, and everything begins anew.
///
/// The kernel goes round until the count is not zero any more, or the old head is gone. Here it waits for the head alone: that is
/// the same as long as one CPU at a time makes a page.
fn set(cpu: &Cpu<'_>, zero: &HugeZero, new: Folio<'_>) -> bool {
    let head = BlockLink(Some(new.head().pfn));
    if !atomic_cmpxchg(cpu, zero.page, NONE, head) {
        folio_put(cpu, new);
        let none = Until::Equals(NONE.into_word());
        zero.page.wait_until(cpu, none, LoadOrder::Relaxed);
        return false;
    }
    write_once(cpu, zero.pfn, head);
    write_once(cpu, zero.refcount, 2);
    true
}

/// `put_huge_zero_page`: never the last one, which is the shrinker's.
fn put_huge_zero_page(cpu: &Cpu<'_>, zero: &HugeZero) {
    if atomic_sub_and_test(cpu, zero.refcount, 1, RmwOrder::Full) {
        cpu.fault(Fault::Bug {
            what: "the last reference of the huge zero page was dropped by a user",
            cell: Some(zero.refcount.id()),
        });
    }
}

/// `shrink_huge_zero_page_scan`: whether the page was given back.
pub fn shrink_huge_zero_page_scan(cpu: &Cpu<'_>) -> bool {
    let _span = cpu.span("shrink_huge_zero_page_scan");
    let Some(zero) = &cpu.machine().huge_zero else {
        return false;
    };
    // ORDERING: the lock's, as in get_huge_zero_page. Step `huge-zero-lock`.
    let lock = cpu.does(Step::HugeZeroLock);
    if lock {
        zero.lock.lock(cpu);
    }
    let last = atomic_cmpxchg(cpu, zero.refcount, 1, 0);
    let page = last
        .then(|| {
            let page = xchg(cpu, zero.page, NONE, RmwOrder::Full);
            write_once(cpu, zero.pfn, NONE);
            page.0
        })
        .flatten();
    if lock {
        zero.lock.unlock(cpu);
    }
    if last && page.is_none() {
        cpu.fault(Fault::Bug {
            what: "the huge zero page had a reference, and was not there",
            cell: Some(zero.page.id()),
        });
    }
    if let Some(head) = page {
        folio_put(cpu, Folio::of(cpu.machine().page(head)));
    }
    last
}
