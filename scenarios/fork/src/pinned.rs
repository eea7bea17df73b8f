//! Callers pin what is mapped in an area, while fork decides what of it a child may share.

use gupcheck_races::prelude::*;

/// Where a lock is a locked instruction: elsewhere fork may miss a pin (docs/findings.md, F1).
pub(crate) const X86: &[&Profile] = &[&X86_NATIVE, &X86_PV];
pub(crate) const EVERYWHERE: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
pub(crate) const RELAXED: &[&Profile] = &[&ARM64, &WEAK];

/// What a race of a large folio rests on, whose pins have a word of their own, however it is mapped.
pub(crate) const OF_A_LARGE_FOLIO: &[Need] = &[
    Need::of(Step::SeqcountBegin, X86),
    Need::of(Step::SeqcountRetry, X86),
    Need::of(Step::ForkSequence, X86),
    Need::of(Step::ForkCopiesPinned, X86),
    Need::of(Step::UndoUnchecked, X86),
];

/// The callers ask for pages of `area` from its start, by these flags; `child` is to become the area's. There is a free page for
/// each page that may have to be copied.
pub(crate) fn while_forking(
    size: Size,
    mut boot: Boot,
    (area, child): (Area, Area),
    flags: Foll,
) -> Program {
    for _ in 0..size.pages {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, flags)
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
    let addrs = (0..).map(|n| area.start + n * PAGE_SIZE);
    let pinned = callers
        .iter()
        .flat_map(|&lane| addrs.clone().zip(end.pages(lane)));
    pinned
        .into_iter()
        .all(|(addr, page)| end.is_exclusive(page) && end.mapped(area.mm, addr) == Some(page.pfn))
}
