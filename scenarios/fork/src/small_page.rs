//! R04: a page is pinned for writing while fork decides whether the child may share it.
//!
//! The mm has pinned before, so that fork looks at the pins, which are in the very word that fork has just taken a reference
//! by: one of the two comes first. Who pins before fork looks is seen, and the child gets a copy. Who pins after that finds
//! the sequence odd, or changed. (The first pin ever is `first_pin`'s.)
//!
//! Fork may come between a caller's first page and its last: the first is pinned before fork looks, and copied, the second
//! shared before it is pinned. Nobody can tell which, so the caller gives all of them back (R53). Nor may anybody ask
//! whether they are exclusive before that, since the child has some of them by now (`undo-unchecked`, b6a2619c60b4).
//!
//! Before v5.9 nobody asked: without `fork-copies-pinned` that is the kernel. v5.9 and v5.10 asked, and had no sequence
//! (`fork-sequence`, 57efa1fe5957).

use crate::pinned::small_pages;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/small-page",
    catalogue: "R04",
    about: "A page is pinned for writing while fork decides whether the child may share it.",
    needs: &[
        Need::of(Step::SeqcountBegin, EVERYWHERE),
        Need::of(Step::SeqcountRetry, EVERYWHERE),
        Need::of(Step::ForkSequence, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
        Need::of(Step::UndoUnchecked, EVERYWHERE),
        Need::of(Step::UndoEveryPin, EVERYWHERE),
        // The pin before the second look at the sequence.
        Need::of(Step::PincountBarrier, RELAXED),
    ],
    indifferent: &[Step::RecheckOrder, Step::IrqsRestoredFirst],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    small_pages(size, kernel, Foll::WRITE, |boot, area| {
        boot.has_pinned_before(area.mm);
    })
}
