//! R41: a reference that is there for a moment makes a write copy a page that nobody else has.
//!
//! That is allowed: who has a mere reference (`FOLL_GET`) is not promised that the page stays. What must not be is that such a
//! copy, or the reuse, loses the page or its counts. A caller whose reference comes too late gives it back.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/transient",
    catalogue: "R41",
    about: "A page that is not exclusive, and that nobody shares any more, is written to while a reference of it is taken: it is reused, or copied.",
    needs: &[
        // Whoever writes copies the page only for a reference that he sees. On x86 it was there before the page went (I1).
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let by_references = kernel.does(Step::ReuseByRefcount);
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.share(area, page);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::empty());
    let write = scene.cpu("write", write_fault(area));
    let reused = move |end: &Ending<'_>| end.mapped(area.mm, area.start) == Some(page);
    scene.always("the write is done", move |end| {
        end.did(write) && end.entry_of(area, 0).is_writable()
    });
    scene.sometimes("the page is reused while a caller has it", move |end| {
        reused(end) && end.got_page(gup[0], page)
    });
    // By the map count nobody would ever have copied it.
    if by_references {
        scene.sometimes(
            "the page is copied, and a caller has the old one",
            move |end| !reused(end) && end.got_page(gup[0], page),
        );
    }
    scene.into_program()
}
