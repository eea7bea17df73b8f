//! Callers pin what is mapped in an area, while fork decides what of it a child may share.

use gupcheck_races::prelude::*;

/// What a race of a large folio rests on, whose pins have a word of their own, however it is mapped.
pub(crate) const OF_A_LARGE_FOLIO: &[Need] = &[
    Need::of(Step::SeqcountBegin, X86),
    Need::of(Step::SeqcountRetry, X86),
    Need::of(Step::ForkSequence, X86),
    Need::of(Step::ForkCopiesPinned, X86),
    Need::of(Step::UndoUnchecked, X86),
    Need::of(Step::UndoEveryPin, X86),
];

/// The callers ask for pages of `area` from its start, by these flags; `child` is to become the area's. There is a free page for
/// each page that may have to be copied.
pub(crate) fn while_forking(
    size: Size,
    mut boot: Boot,
    (area, child): (Area, Area),
    flags: Foll,
) -> Program {
    boot.free_pages(size.pages);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(size.pages), flags);
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

/// The same of small pages, each its own folio, in an area that is `prepared`.
pub(crate) fn small_pages(
    size: Size,
    kernel: Kernel,
    flags: Foll,
    prepared: impl FnOnce(&mut Boot, Area),
) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let child = boot.child_of(area);
    prepared(&mut boot, area);
    while_forking(size, boot, (area, child), flags)
}

/// Whether each page that these callers got is exclusive, and is what the area maps there.
pub(crate) fn stays_the_areas_alone(end: &Ending<'_>, callers: &[LaneId], area: Area) -> bool {
    end.got_from(area.start, callers)
        .all(|(addr, page)| end.is_exclusive(page) && end.mapped(area.mm, addr) == Some(page.pfn))
}
