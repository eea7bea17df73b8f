//! Taking references and pins of folios, and giving them back.
//!
//! # The speculative reference
//!
//! The walker holds nothing when it finds a page: the page may be freed, frozen, split, or in its next
//! life. So:
//!
//! 1. it looks the head up, and takes the reference only if the count is not zero (P11);
//! 2. the reference taken, it looks the head up *again*: only now is the head stable (P15);
//! 3. nothing else about the folio may be believed before that;
//! 4. what was mapped where is a question for the recheck of the entries, not for the reference.
//!
//! If 2 finds another head, the reference went to an unrelated folio. It is dropped, which may well be
//! the last drop of that folio: the walker then frees it, with interrupts off (R30, R56).

use super::Foll;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{
    Folio, GUP_PIN_COUNTING_BIAS, Page, PageFlags, folio_put_refs, folio_ref_add,
    folio_ref_count_is_below, folio_ref_try_add, is_zero_page, page_folio, page_is_in_folio,
};
use crate::lkmm::{VoidAtomic, atomic_add, smp_mb_after_atomic};
use crate::mm::touch_memmap;
use crate::step::Step;

/// `try_get_folio`: `refs` references of the folio that `page` is in, or `None` if it is free or frozen.
pub(super) fn try_get_folio<'m>(cpu: &Cpu<'m>, page: &'m Page, refs: i32) -> Option<Folio<'m>> {
    let _span = cpu.span("try_get_folio");
    // Each turn but the last saw the head change, and heads change finitely often.
    loop {
        let folio = page_folio(cpu, page);
        if cpu.does(Step::RefcountGuard) && folio_ref_count_is_below(cpu, folio, 0) {
            return None;
        }
        if !folio_ref_try_add(cpu, folio, refs) {
            return None;
        }
        if !cpu.does(Step::HeadRecheck) || page_is_in_folio(cpu, page, folio) {
            return Some(folio);
        }
        cpu.remark("the head moved: start over");
        folio_put_refs(cpu, folio, refs);
    }
}

/// `try_grab_folio`: `refs` references or pins, as `flags` ask; `None` to make the fast path fall back.
pub fn try_grab_folio<'m>(
    cpu: &Cpu<'m>,
    page: &'m Page,
    refs: i32,
    flags: Foll,
) -> Option<Folio<'m>> {
    let _span = cpu.span("try_grab_folio");
    touch_memmap(cpu, page);
    if !flags.intersects(Foll::GET | Foll::PIN) {
        return None;
    }
    if page.memory.p2pdma && !flags.contains(Foll::PCI_P2PDMA) {
        return None;
    }
    if flags.contains(Foll::GET) {
        return try_get_folio(cpu, page, refs);
    }
    // Not counted here, and not given back in gup_put_folio: one without the other, and the count is wrong (R44). Steps
    // `zero-page-not-taken`, `zero-page-not-put`.
    if is_zero_page(cpu, page) && cpu.does(Step::ZeroPageNotTaken) {
        return Some(page_folio(cpu, page));
    }
    // ORDERING: by the reference: only once it is taken is the folio stable, and a gate before it would look at another one.
    // Pairs with whoever splits or frees the folio. Without it: R49. Step `gate-after-reference`.
    let late = cpu.does(Step::GateAfterReference);
    let unwelcome =
        |folio| flags.contains(Foll::LONGTERM) && !super::gates::is_longterm_pinnable(cpu, folio);
    if !late && flags.contains(Foll::LONGTERM) && unwelcome(page_folio(cpu, page)) {
        return None;
    }
    let folio = try_get_folio(cpu, page, refs)?;
    if late && unwelcome(folio) {
        folio_put_refs(cpu, folio, refs);
        return None;
    }
    let pinned = add_pins(cpu, folio, refs);
    // ORDERING: full, between the raised pin count and the recheck of the entries; the count is another
    // word than the reference on large folios, and raising it orders nothing. Pairs with peek-barrier
    // (M-P5p). Without it: R03 A. Step `pincount-barrier`.
    if cpu.does(Step::PincountBarrier) {
        smp_mb_after_atomic(cpu, pinned);
    }
    Some(folio)
}

/// Turns references just taken into pins.
fn add_pins(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) -> VoidAtomic {
    if folio.test(cpu, PageFlags::HEAD) {
        atomic_add(cpu, folio.head().pincount, refs)
    } else {
        folio_ref_add(cpu, folio, refs * (GUP_PIN_COUNTING_BIAS - 1))
    }
}

/// `try_grab_page`: one reference or pin of a page whose mapping the caller keeps in place by a lock, so
/// that the folio cannot go away. The slow path's way.
///
/// # Errors
/// `-ENOMEM` of a folio without references, `-EREMOTEIO` of unwanted peer-to-peer memory.
pub fn try_grab_page(cpu: &Cpu<'_>, page: &Page, flags: Foll) -> Result<(), Errno> {
    touch_memmap(cpu, page);
    let folio = page_folio_of(cpu, page);
    if folio_ref_count_is_below(cpu, folio, 1) {
        return Err(Errno::Enomem);
    }
    if page.memory.p2pdma && !flags.contains(Foll::PCI_P2PDMA) {
        return Err(Errno::Eremoteio);
    }
    if flags.contains(Foll::GET) {
        folio_ref_add(cpu, folio, 1);
    } else if flags.contains(Foll::PIN)
        && !(is_zero_page(cpu, page) && cpu.does(Step::ZeroPageNotTaken))
    {
        add_pin(cpu, folio);
    }
    Ok(())
}

/// One pin, of a folio that cannot go away: of a large one a reference, and one in the count of pins.
pub(super) fn add_pin(cpu: &Cpu<'_>, folio: Folio<'_>) {
    if folio.test(cpu, PageFlags::HEAD) {
        folio_ref_add(cpu, folio, 1);
        atomic_add(cpu, folio.head().pincount, 1);
    } else {
        folio_ref_add(cpu, folio, GUP_PIN_COUNTING_BIAS);
    }
}

/// `page_folio`, of a page found in the machine's memory map.
pub(super) fn page_folio_of<'m>(cpu: &Cpu<'m>, page: &Page) -> Folio<'m> {
    page_folio(cpu, cpu.machine().page(page.pfn))
}

/// `gup_put_folio`: gives back what [`try_grab_folio`] took.
pub fn gup_put_folio(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32, flags: Foll) {
    let _span = cpu.span("gup_put_folio");
    touch_memmap(cpu, folio.head());
    let mut drop = refs;
    let mut counted_late = false;
    if flags.contains(Foll::PIN) {
        if is_zero_page(cpu, folio.head()) && cpu.does(Step::ZeroPageNotPut) {
            return;
        }
        if folio.test(cpu, PageFlags::HEAD) {
            // ORDERING: program order, and then put-ordered (P27): the count of pins is the folio's only as long as there is a
            // reference. Pairs with whoever frees it, and makes another one there. Without it: R36. Step `pins-before-references`.
            counted_late = !cpu.does(Step::PinsBeforeReferences);
            if !counted_late {
                atomic_add(cpu, folio.head().pincount, -refs);
            }
        } else {
            drop *= GUP_PIN_COUNTING_BIAS;
        }
    }
    folio_put_refs(cpu, folio, drop);
    if counted_late {
        atomic_add(cpu, folio.head().pincount, -refs);
    }
}

/// `put_page`: gives back what `FOLL_GET` took.
pub fn put_page(cpu: &Cpu<'_>, page: &Page) {
    touch_memmap(cpu, page);
    let folio = page_folio_of(cpu, page);
    folio_put_refs(cpu, folio, 1);
}
