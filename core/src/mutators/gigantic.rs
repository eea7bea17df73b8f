//! Raw pages, each with a count of its own, become one folio of hugetlb: `__prep_compound_gigantic_folio`.
//!
//! # How each page's count becomes zero
//!
//! The pages come from a range that was emptied for the purpose. Each has one reference, its new owner's, and somebody with an old
//! entry in hand may take another for a moment. So the count is not set to zero: one is exchanged for zero, and where there is
//! another number everything is undone, and the owner gives the pages back one by one. A count that is overwritten loses
//! that reference; when it is dropped, the count falls below zero.

use crate::cpu::Cpu;
use crate::folio::{CompoundHead, Folio, PageFlags, Pfn, folio_ref_unfreeze, set_page_flags};
use crate::lkmm::{atomic_cmpxchg, write_once};
use crate::step::Step;

/// Makes one folio of `1 << order` pages, which begin at `head`, and have one reference each: whether it could be made. Then it has
/// one, and the tails none; else all is as it was.
pub fn prep_compound_gigantic_folio(cpu: &Cpu<'_>, head: Pfn, order: u8) -> bool {
    let _span = cpu.span("__prep_compound_gigantic_folio");
    let page = |n| cpu.machine().page(head.plus(n));
    for n in 0..1 << order {
        if !freeze(cpu, head, n) {
            for done in 0..n {
                if done > 0 {
                    write_once(cpu, page(done).compound_head, CompoundHead(None));
                }
                write_once(cpu, page(done).refcount, 1);
            }
            return false;
        }
        if n > 0 {
            write_once(cpu, page(n).compound_head, CompoundHead(Some(head)));
        }
    }
    set_page_flags(cpu, page(0), PageFlags::HEAD | PageFlags::HUGETLB);
    write_once(cpu, page(0).order, order);
    write_once(cpu, page(0).pincount, 0);
    // Into the pool with a count of zero, and out of it to its first user.
    folio_ref_unfreeze(cpu, Folio::of(page(0)), 1);
    true
}

/// `page_ref_freeze(page, 1)`.
fn freeze(cpu: &Cpu<'_>, head: Pfn, n: u32) -> bool {
    let cell = cpu.machine().page(head.plus(n)).refcount;
    // ORDERING: none beyond coherence: references go through the same word. Pairs with add-unless-zero (P11). Without the exchange,
    // a store: R32. Step `tails-frozen`. (Before v5.14 the head kept its count; its knock-out is about tails.)
    if n == 0 || cpu.does(Step::TailsFrozen) {
        return atomic_cmpxchg(cpu, cell, 1, 0);
    }
    write_once(cpu, cell, 0);
    true
}
