//! The reference count of a folio, and the pins hidden in it.
//!
//! # The rules of the count
//!
//! 1. It is zero while the folio is free, and while it is frozen. Nobody leaves zero but the allocator
//!    and whoever froze it ([`folio_ref_try_add`] refuses).
//! 2. Whoever drops it to zero frees the folio, whoever that is, in whatever life it finds it.
//! 3. A pin of a small folio is [`GUP_PIN_COUNTING_BIAS`] references; a large folio counts pins apart.
//! 4. Who decides by the count either *freezes* it (an exchange of the same word that references go
//!    through: coherence decides) or *peeks* at it (a plain load: both sides need a full barrier).

use super::{Folio, PageFlags, Vmemmap};
use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::lkmm::{
    VoidAtomic, atomic_add, atomic_add_unless, atomic_cmpxchg, atomic_sub_and_test, read_once_is,
    read_once_is_below, smp_store_release, write_once,
};
use crate::step::Step;
use crate::sync::{Fault, LoadOrder, Rmw, RmwOrder, Word};

/// What a pin of a small folio adds to its reference count.
pub const GUP_PIN_COUNTING_BIAS: i32 = 1024;

/// `folio_ref_count(folio) == count`.
#[track_caller]
pub fn folio_ref_count_is(cpu: &Cpu<'_>, folio: Folio<'_>, count: i32) -> bool {
    read_once_is(cpu, folio.head().refcount, count)
}

/// `folio_ref_count(folio) < limit`.
#[track_caller]
pub fn folio_ref_count_is_below(cpu: &Cpu<'_>, folio: Folio<'_>, limit: i32) -> bool {
    read_once_is_below(cpu, folio.head().refcount, limit)
}

/// `folio_ref_try_add`: takes `refs` references unless the count is zero; whether it did.
#[track_caller]
pub fn folio_ref_try_add(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) -> bool {
    match folio.head().memory.vmemmap {
        None => page_ref_add_unless_zero(cpu, folio, refs),
        Some(vmemmap) => add_to_writable(cpu, folio, refs, vmemmap),
    }
}

/// `page_ref_add_unless` of v6.10, where struct pages may be mapped read-only: the atomic writes, whether or not it adds.
///
/// 1. The count is zero while the struct page is remapped, and a grace period lies between: a reader that has seen another
///    count, and no fake head, is through with its atomic before that.
/// 2. Once the count is not zero any more, the fake head is there to be seen: so the count is looked at first.
#[track_caller]
fn add_to_writable(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32, vmemmap: Vmemmap) -> bool {
    // ORDERING: acquire, of the look at the count, and an RCU reader around it all. Pairs with vmemmap-grace-period (M-P19), and
    // with unfreeze-release (M-P8). Without it: R33. Step `ref-tests-writable`.
    let tests = cpu.does(Step::RefTestsWritable);
    if tests {
        rcu_read_lock(cpu);
    }
    let refused = tests
        && (folio.head().refcount.is(cpu, 0, LoadOrder::Acquire)
            || read_once_is(cpu, vmemmap.fake_head, true));
    let added = !refused && {
        // The write of the locked instruction, which I14 is about.
        vmemmap.writable.touch(cpu);
        page_ref_add_unless_zero(cpu, folio, refs)
    };
    if tests {
        rcu_read_unlock(cpu);
    }
    added
}

/// `page_ref_add_unless`, until v6.9.
#[track_caller]
fn page_ref_add_unless_zero(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) -> bool {
    // ORDERING: full on success, so that every later look at an entry or a head comes after the
    // reference is visible. Pairs with clear-barrier (M-P5), flush-barrier (M-P5f), peek-barrier (M-P5p) of those
    // who peek, with unfreeze-release (M-P8) of a split. Without it: R01, R02, R05, R12, R13, R15, R30. Step
    // `pin-barrier`.
    let order = if cpu.does(Step::PinBarrier) {
        RmwOrder::Full
    } else {
        RmwOrder::Relaxed
    };
    let cell = folio.head().refcount;
    if cpu.does(Step::AddUnlessZero) {
        return atomic_add_unless(cpu, cell, refs, 0, order);
    }
    // Knocked out: the reference is taken of whatever there is (I8, I9). Nobody looks here; whoever owns the page
    // next finds the count wrong.
    cell.update(cpu, Rmw::Add(refs.into_word()), order);
    true
}

/// `folio_ref_add`: more references, of a folio that the caller holds one of. Orders nothing.
#[track_caller]
pub fn folio_ref_add(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) -> VoidAtomic {
    atomic_add(cpu, folio.head().refcount, refs)
}

/// `folio_put_refs`: drops references, and frees the folio with the last one. Whether it was the last is all that it
/// asks: a count that falls below zero shows when the folio is unfrozen or allocated again, and in the books (I9).
#[track_caller]
pub fn folio_put_refs(cpu: &Cpu<'_>, folio: Folio<'_>, refs: i32) {
    // ORDERING: full, so that all uses of the page come before the free that the last drop entails.
    // Pairs with the other droppers and with the allocator. Without it: R30. Step `put-ordered`.
    let order = if cpu.does(Step::PutOrdered) {
        RmwOrder::Full
    } else {
        RmwOrder::Relaxed
    };
    if atomic_sub_and_test(cpu, folio.head().refcount, refs, order) {
        super::alloc::free_folio(cpu, folio);
    }
}

/// `folio_get`: one more reference, of a folio that the caller holds one of.
#[track_caller]
pub fn folio_get(cpu: &Cpu<'_>, folio: Folio<'_>) {
    folio_ref_add(cpu, folio, 1);
}

/// `folio_put`.
#[track_caller]
pub fn folio_put(cpu: &Cpu<'_>, folio: Folio<'_>) {
    folio_put_refs(cpu, folio, 1);
}

/// A folio whose count was the expected one, and is frozen.
#[must_use = "a count that is frozen must be given back"]
pub struct Frozen<'m> {
    folio: Folio<'m>,
    expected: i32,
}

/// `folio_ref_freeze`: exchanges the expected count for zero, if it is the expected one.
#[track_caller]
pub fn folio_ref_freeze<'m>(cpu: &Cpu<'m>, folio: Folio<'m>, expected: i32) -> Option<Frozen<'m>> {
    let cell = folio.head().refcount;
    // ORDERING: none needed beyond coherence: references go through the same word, so that one of the two
    // comes first. Pairs with add-unless-zero (P11). Without the exchange, a look: R05, R13. Step
    // `refcount-freeze`.
    let frozen = if cpu.does(Step::RefcountFreeze) {
        atomic_cmpxchg(cpu, cell, expected, 0)
    } else {
        read_once_is(cpu, cell, expected)
    };
    frozen.then_some(Frozen { folio, expected })
}

impl Frozen<'_> {
    /// Gives the count back as `count`, which accounts for what its owner has taken or given up meanwhile.
    #[track_caller]
    pub fn unfreeze(self, cpu: &Cpu<'_>, count: i32) {
        if cpu.does(Step::RefcountFreeze) {
            folio_ref_unfreeze(cpu, self.folio, count);
        } else if count != self.expected {
            // Nothing was frozen: what came meanwhile stays.
            folio_ref_add(cpu, self.folio, count - self.expected);
        }
    }
}

impl Frozen<'_> {
    /// Keeps the count at zero: what was frozen is nobody's any more, and the folio is going to be freed.
    #[track_caller]
    pub fn keep(self, cpu: &Cpu<'_>) {
        if !cpu.does(Step::RefcountFreeze) {
            // Nothing was frozen: what came meanwhile stays.
            folio_ref_add(cpu, self.folio, -self.expected);
        }
    }
}

/// `page_ref_unfreeze`: gives a frozen count back, and with it everything done while it was frozen.
#[track_caller]
pub fn folio_ref_unfreeze(cpu: &Cpu<'_>, folio: Folio<'_>, count: i32) {
    let cell = folio.head().refcount;
    if !read_once_is(cpu, cell, 0) {
        cpu.fault(Fault::Bug {
            what: "somebody gained a reference to a frozen folio",
            cell: Some(cell.id()),
        });
    }
    // ORDERING: release, last: whoever gains a reference sees the heads and flags of the new state.
    // Pairs with pin-barrier (P12) and head-recheck (P15). Without it: R05, R13. Step `unfreeze-release`.
    if cpu.does(Step::UnfreezeRelease) {
        smp_store_release(cpu, cell, count);
    } else {
        write_once(cpu, cell, count);
    }
}

/// `folio_maybe_dma_pinned`: never false of a pinned folio; true of a small one that merely has very
/// many references (R36), or whose count has wrapped.
#[track_caller]
pub fn folio_maybe_dma_pinned(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    if folio.test(cpu, PageFlags::HEAD) {
        return !read_once_is_below(cpu, folio.head().pincount, 1);
    }
    // As an unsigned number, the bias or more: some bit from the bias's on is set.
    let high = !(GUP_PIN_COUNTING_BIAS - 1);
    (folio.head().refcount).has_any(cpu, high, LoadOrder::Relaxed)
}
