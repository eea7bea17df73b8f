//! Words of this family.

use gupcheck_races::prelude::*;

/// Whether each page that these callers got is still what the area maps there.
pub(crate) fn still_mapped(end: &Ending<'_>, callers: &[LaneId], area: Area) -> bool {
    end.got_from(area.start, callers)
        .all(|(addr, page)| end.mapped(area.mm, addr) == Some(page.pfn))
}

/// A page of KSM's, which another process maps.
pub(crate) fn ksm_page(boot: &mut Boot) -> Pfn {
    let area = boot.anon_area(1);
    let page = boot.populate(area)[0];
    boot.share(area, page);
    let (mapping, refcount) = (boot.page(page).mapping, boot.page(page).refcount);
    boot.layout().set(mapping, Mapping::Ksm);
    // ksmd's, by which it keeps the page that it has found in its tree.
    boot.layout().set(refcount, 2);
    page
}

/// Callers pin what is not exclusive to the area for reading, all of it, while somebody writes to its first page.
pub(crate) fn while_unshared(size: Size, boot: Boot, area: Area) -> (Scene, Lanes) {
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    scene.cpu("write", write_fault(area));
    scene.always(
        "what is pinned stays where it was pinned (I4)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.always(
        "every caller gets every page (I11)",
        each_gets(gup, size.pages),
    );
    let writable = move |end: &Ending<'_>| end.entry_of(area, 0).is_writable();
    scene.sometimes("the page is writable at the end", writable);
    scene.sometimes(
        "it is read-only: the write came when it was being unshared",
        move |end| !writable(end),
    );
    (scene, gup)
}
