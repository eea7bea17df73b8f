//! R38: a child that keeps a reference of a shared page reads what its parent writes later (CVE-2020-29374).
//!
//! The child takes a reference of a page that it shares, and unmaps the page. Then its parent writes there, and is alone in
//! mapping it. Kernels before v5.8 asked for the map count, and let the parent have the page: the child reads on, in a page that
//! is its parent's alone. The reference count knows of the child's reference.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/child-reader",
    catalogue: "R38",
    about: "A child gets a reference of a page that it shares with its parent, and unmaps it, while the parent writes there.",
    needs: &[
        Need::of(Step::ReuseByRefcount, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
        // Where the flush waits, the page is not reused, but it was gone when the reference came (I1).
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let parent = boot.anon_area(size.pages);
    let page = boot.populate(parent)[0];
    let child = boot.forked(parent);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let readers = scene.getters(size.cpus, child, Foll::empty());
    scene.cpu("madvise", dontneed(child));
    scene.cpu("write", write_fault(parent));
    let reused = move |end: &Ending<'_>| end.mapped(parent.mm, parent.start) == Some(page);
    scene.always(
        "the parent writes to no page that a child can read (I12)",
        move |end| !reused(end) || !end.any_got(&readers, page),
    );
    scene.sometimes(
        "the parent gets a copy, and the child keeps the page",
        move |end| !reused(end) && end.got_page(readers[0], page),
    );
    scene.sometimes("the parent gets the page", reused);
    scene.into_program()
}
