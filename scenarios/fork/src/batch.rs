//! R04 and R53: fork comes between a caller's first page and its last, and all of them are given back.
//!
//! Of two pages the first may be pinned before fork looks, and copied, and the second shared before it is pinned. There is no
//! telling which: the caller keeps none. Nor may anybody ask whether they are exclusive before they are given back: the
//! child has some of them by now (b6a2619c60b4).

use crate::pinned::{EVERYWHERE, RELAXED, while_forking};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/batch",
    catalogue: "R04",
    about: "Two pages are pinned at once while fork shares them: one of them may be shared by then, and the caller gives both back.",
    profiles: EVERYWHERE,
    before: &[],
    needs: &[
        Need::of(Step::SeqcountBegin, EVERYWHERE),
        Need::of(Step::SeqcountRetry, EVERYWHERE),
        Need::of(Step::ForkSequence, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
        Need::of(Step::UndoUnchecked, EVERYWHERE),
        // The pin before the second look at the sequence.
        Need::of(Step::PincountBarrier, RELAXED),
    ],
    indifferent: &[Step::IrqsRestoredFirst],
    tested: &[
        Tested::whole(1, 1, 50_000),
        Tested::whole(1, 2, 50_000),
        Tested::part(2, 1, 20_000),
    ],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let pages = size.pages.max(2);
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, pages);
    let area = boot.anon_area(pages);
    boot.populate(area);
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    while_forking(size, boot, (area, child), pages, Foll::WRITE)
}
