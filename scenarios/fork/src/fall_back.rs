//! R04 to its end: whoever fork came between takes the mmap lock, and gets a page that stays.
//!
//! Fast GUP gives every pin back and leaves the call to slow GUP, which waits for fork. By then the page is shared and
//! read-only. A write makes the parent a copy, or gives it the page if the child has none; and that is the page that is pinned.

use crate::pinned::stays_the_areas_alone;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/fall-back",
    catalogue: "R04",
    about: "A page is pinned for writing while fork shares it; the caller waits for fork, and pins what the parent has then.",
    // Those of `fork/small-page`, and what goes down to slow GUP.
    needs: &[
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
        Need::of(Step::SeqcountBegin, EVERYWHERE),
        Need::of(Step::SeqcountRetry, EVERYWHERE),
        Need::of(Step::ForkSequence, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
        Need::of(Step::UndoUnchecked, EVERYWHERE),
        Need::of(Step::UndoEveryPin, EVERYWHERE),
        Need::of(Step::PincountBarrier, RELAXED),
    ],
    indifferent: &[Step::IrqsRestoredFirst],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    // A copy of each page for the child, or for the parent, for whom as many may make one as there are callers.
    boot.free_pages(size.pages * size.cpus);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    scene.always(
        "what is pinned is the parent's, and exclusive (I4)",
        move |end| stays_the_areas_alone(end, &gup, area),
    );
    scene.always(
        "every caller gets every page (I11)",
        each_gets(gup, size.pages),
    );
    scene.sometimes("a caller pins the page that was there", gets(gup[0], page));
    scene.sometimes(
        "a caller pins a copy, and the child has the page",
        move |end| !end.got_page(gup[0], page) && end.mapped(child.mm, child.start) == Some(page),
    );
    scene.into_program()
}
