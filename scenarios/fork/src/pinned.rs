//! Callers pin what is mapped in an area, while fork decides what of it a child may share.

use gupcheck_races::prelude::*;

/// The callers ask for `pages` pages of `area` from its start, by these flags; `child` is to become the area's. There is a
/// free page for each page that may have to be copied.
pub(crate) fn while_forking(
    size: Size,
    mut boot: Boot,
    (area, child): (Area, Area),
    pages: u32,
    flags: Foll,
) -> Program {
    boot.free_pages(pages);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(pages), flags);
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    scene.always(
        "what is pinned stays exclusive, and the child has another page (I4)",
        move |end| {
            end.got_from(child.start, &gup).all(|(addr, page)| {
                end.is_exclusive(page) && end.mapped(child.mm, addr) != Some(page.pfn)
            })
        },
    );
    let shared = move |end: &Ending<'_>| {
        end.mapped(area.mm, area.start) == end.mapped(child.mm, child.start)
    };
    scene.always("fork does what it came for", did(fork));
    scene.sometimes("the child shares the first page", shared);
    scene.sometimes(
        "the first page is pinned, and copied for the child",
        move |end| end.got(gup[0]) > 0 && !shared(end),
    );
    scene.into_program()
}

/// Whether each page that these callers got is exclusive, and is what the area maps there.
pub(crate) fn stays_the_areas_alone(end: &Ending<'_>, callers: &[LaneId], area: Area) -> bool {
    end.got_from(area.start, callers)
        .all(|(addr, page)| end.is_exclusive(page) && end.mapped(area.mm, addr) == Some(page.pfn))
}
