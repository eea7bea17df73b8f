//! Callers pin what is mapped in an area, while fork decides what of it a child may share.

use gupcheck_races::prelude::*;

/// Where a lock is a locked instruction: elsewhere fork may miss a pin (docs/findings.md, F1).
pub(crate) const X86: &[&Profile] = &[&X86_NATIVE, &X86_PV];
pub(crate) const EVERYWHERE: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
pub(crate) const RELAXED: &[&Profile] = &[&ARM64, &WEAK];

/// The callers ask for `pages` pages of `area` from its start, by these flags; `child` is to become the area's. There is a
/// free page for each page that may have to be copied.
pub(crate) fn while_forking(
    size: Size,
    mut boot: Boot,
    (area, child): (Area, Area),
    pages: u32,
    flags: Foll,
) -> Program {
    for _ in 0..pages {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, pages as i32, flags)
    });
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    let caller = gup[0];
    scene.always(
        "what is pinned stays exclusive, and the child has another page (I4)",
        move |end| {
            let addrs = (0..).map(|n| child.start + n * PAGE_SIZE);
            let pinned = gup
                .iter()
                .flat_map(|&lane| addrs.clone().zip(end.pages(lane)));
            pinned.into_iter().all(|(addr, page)| {
                end.is_exclusive(page) && end.mapped(child.mm, addr) != Some(page.pfn)
            })
        },
    );
    let shared = move |end: &Ending<'_>| {
        end.mapped(area.mm, area.start) == end.mapped(child.mm, child.start)
    };
    scene.always("fork does what it came for", move |end| {
        end.is(fork, "ret", "0")
    });
    scene.sometimes("the child shares the first page", shared);
    scene.sometimes(
        "the first page is pinned, and copied for the child",
        move |end| end.got(caller) > 0 && !shared(end),
    );
    scene.into_program()
}

/// Whether each page that these callers got is exclusive, and is what the area maps there.
pub(crate) fn stays_the_areas_alone(end: &Ending<'_>, callers: &[LaneId], area: Area) -> bool {
    let addrs = (0..).map(|n| area.start + n * PAGE_SIZE);
    let pinned = callers
        .iter()
        .flat_map(|&lane| addrs.clone().zip(end.pages(lane)));
    pinned
        .into_iter()
        .all(|(addr, page)| end.is_exclusive(page) && end.mapped(area.mm, addr) == Some(page.pfn))
}
