//! R04 of a page that is read-only before fork comes: the entry is the same at the end, and its recheck tells nothing.
//!
//! What is left is whether the page is exclusive, and the sequence.

use crate::pinned::small_pages;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/read-pin",
    catalogue: "R04",
    about: "A read-only page that is exclusive is pinned for reading while fork decides whether the child may share it.",
    needs: &[
        Need::of(Step::SeqcountBegin, EVERYWHERE),
        Need::of(Step::SeqcountRetry, EVERYWHERE),
        Need::of(Step::ForkSequence, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
        Need::of(Step::UndoUnchecked, EVERYWHERE),
        Need::of(Step::UndoEveryPin, EVERYWHERE),
        Need::of(Step::UnshareFirst, EVERYWHERE),
        // The pin before the second look at the sequence.
        Need::of(Step::PincountBarrier, RELAXED),
    ],
    indifferent: &[Step::RecheckOrder, Step::IrqsRestoredFirst],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    small_pages(size, kernel, Foll::empty(), |boot, area| {
        boot.change_ptes(area, |pte| pte.without(Bits::WRITE | Bits::DIRTY));
        boot.has_pinned_before(area.mm);
    })
}
