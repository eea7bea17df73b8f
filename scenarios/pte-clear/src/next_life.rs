//! R30: the walker's reference goes to the page's next life, and its last drop frees it for the new owner.
//!
//! The new owner allocates the page and frees it again, all while the walker holds a reference of it that it
//! is about to give back. That is correct, because nothing but the count decides who frees.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/next-life",
    catalogue: "R30",
    about: "A speculative reference lands on the page's next life; whoever drops the last one frees it.",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PutOrdered, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("madvise", dontneed(area));
    let other = scene.cpu("allocator", |cpu| match alloc_folio(cpu, 0, Owner::Other) {
        Some(folio) => {
            folio_put(cpu, folio);
            true
        }
        None => false,
    });
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    scene.sometimes("the page lives again", did(other));
    scene.into_program()
}
