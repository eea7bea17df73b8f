//! Entries of two words (x86-32 with PAE): what is read and written by halves.
//!
//! # Who does what
//!
//! 1. Whoever sets a PTE, under the lock, writes the upper half, then the lower one, in which is the present bit (M-P2).
//! 2. Whoever clears an entry by stores clears the lower half first. Most who clear do it by a locked instruction on both
//!    halves (`ptep_get_and_clear`), and so is a pmd set.
//! 3. Whoever reads without the lock reads the lower half, the upper one, and the lower one again (P8); if that is another
//!    by now, it starts over.
//! 4. Whoever has the lock reads the halves as it likes; and so does the walker's recheck.
//!
//! # What happens when somebody comes between two reads
//!
//! - between the first and the second: one who clears, or sets, is seen by the third, unless he sets a lower half that is the
//!   same as before: another page, a multiple of 4 GiB away. Then the upper half is none's, or the new page's;
//! - between the second and the third: likewise, and the upper half is the old page's, which is not wrong;
//! - so a value may come out that the entry never had: the lower half of a page, and no upper half. The kernel says that a
//!   TLB flush must come between the two pages, which interrupts off keep waiting. A flush that is a hypercall they do
//!   not; and where the new page comes from another CPU, no flush has to come at all. What is left is the recheck after the
//!   pin: the reference of a wrong page is given back.
//!
//! # How it is modelled
//!
//! An entry is one cell. A read of half of it looks at half of the cell ([`Look::Bits`]); a store of half of it stores
//! both, the other half as it was, which nobody else changes while the lock is held. Under TSO, where loads are in order, and
//! stores too, nobody can tell that from two cells. A barrier there is the compiler's: the step without it has the other order.

use super::Entry;
use crate::arch::Words;
use crate::cpu::Cpu;
use crate::lkmm::{read_once, smp_rmb, smp_wmb, write_once};
use crate::step::Step;
use crate::sync::{Atomic, LoadOrder, Look, Word};
use crate::types::LOW_HALF;

/// Whether entries have two words here.
pub(super) fn are_two(cpu: &Cpu<'_>) -> bool {
    cpu.machine().kernel.profile.words == Words::Two
}

/// Reads one half: `LOW_HALF`, or all but that.
#[track_caller]
fn read_half(cpu: &Cpu<'_>, slot: Atomic<Entry>, half: u64) -> Entry {
    Entry::from_word(slot.look(cpu, LoadOrder::Relaxed, Look::Bits(half)))
}

/// `ptep_get_lockless`, `pmdp_get_lockless`.
#[track_caller]
pub(super) fn read_lockless(cpu: &Cpu<'_>, slot: Atomic<Entry>) -> Entry {
    // Each turn but the last saw the lower half change.
    loop {
        // ORDERING: the lower half before the upper one: the upper half is not older. Pairs with half-store-order (M-P2).
        // Without it: R24. Step `low-half-first`.
        let (low, high) = if cpu.does(Step::LowHalfFirst) {
            let low = read_half(cpu, slot, LOW_HALF);
            smp_rmb(cpu);
            (low, read_half(cpu, slot, !LOW_HALF))
        } else {
            let high = read_half(cpu, slot, !LOW_HALF);
            smp_rmb(cpu);
            (read_half(cpu, slot, LOW_HALF), high)
        };
        // ORDERING: the upper half before the second look at the lower one: it is not newer either. Pairs with
        // half-store-order (M-P2), and with whoever clears an entry before it is set again. Without it: R24. Step
        // `low-half-again`.
        if !cpu.does(Step::LowHalfAgain) {
            return low.below(high);
        }
        smp_rmb(cpu);
        if read_half(cpu, slot, LOW_HALF) == low {
            return low.below(high);
        }
    }
}

/// Whether the entry is `entry`, half by half: `pte_same` of a plain read.
#[track_caller]
pub(super) fn are(cpu: &Cpu<'_>, slot: Atomic<Entry>, entry: Entry) -> bool {
    let same = |half| read_half(cpu, slot, half).into_word() == entry.into_word() & half;
    same(LOW_HALF) && same(!LOW_HALF)
}

/// `native_set_pte`, or `native_pte_clear` and `native_pmd_clear`: half by half, under the lock.
#[track_caller]
pub(super) fn store(cpu: &Cpu<'_>, slot: Atomic<Entry>, entry: Entry) {
    let before = read_once(cpu, slot);
    let in_order = cpu.does(Step::HalfStoreOrder);
    let low_first = entry.is_none() == in_order;
    let between = if low_first {
        entry.below(before)
    } else {
        before.below(entry)
    };
    write_once(cpu, slot, between);
    // ORDERING: one half before the other. Pairs with low-half-first (P8). Without it, the other way round: R24. Step
    // `half-store-order`.
    smp_wmb(cpu);
    write_once(cpu, slot, entry);
}
