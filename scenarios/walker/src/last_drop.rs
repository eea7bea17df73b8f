//! R56: the walker's reference, which it gives back because its recheck failed, is the last one. So it frees the page, with
//! interrupts off, for somebody who never knew of it.
//!
//! Whoever unmaps drops his reference and is through; that the page is not free then is nothing that he may rely on,
//! and nothing that he asks. That this happens is shown by `tests/variants.rs`.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/last-drop",
    catalogue: "R56",
    about: "A page is unmapped and dropped while GUP holds a reference that it is about to give back: GUP frees it.",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    indifferent: &[Step::RecheckMarks],
    ..Race::of(build)
};

/// `MADV_DONTNEED`, and then somebody allocates: whether the page is free by then, and who has it.
fn madvise_and_allocate(cpu: &Cpu<'_>, area: Area) -> Returned {
    madvise_dontneed(cpu, area.mm, area.start, area.end);
    match alloc_folio(cpu, 0, Owner::Other) {
        Some(folio) => Some(folio.head().pfn).into_returned(),
        None => Returned::nothing().text("freed", "later"),
    }
}

/// The scene, its callers, and who unmaps the page.
fn scene(size: Size, kernel: Kernel) -> (Scene, Lanes, LaneId, Pfn) {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    let madvise = scene.cpu("madvise", move |cpu| madvise_and_allocate(cpu, area));
    scene.owns_what_it_returns(madvise);
    (scene, gup, madvise, page)
}

fn build(size: Size, kernel: Kernel) -> Program {
    let (mut scene, gup, madvise, page) = scene(size, kernel);
    scene.sometimes("whoever unmaps the page frees it", gets_all(madvise, 1));
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    scene.into_program()
}

/// The same, which says that the walker frees the page in some execution: it is not free when it is unmapped and dropped, and
/// nobody has it in the end.
pub fn freed_by_the_walker(size: Size, kernel: Kernel) -> Program {
    let (mut scene, gup, madvise, page) = scene(size, kernel);
    scene.sometimes("the walker frees it", move |end| {
        let later = end.is(madvise, "freed", "later");
        later && end.got(gup[0]) == 0 && end.is_free(page)
    });
    scene.into_program()
}
