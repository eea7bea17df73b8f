//! R01 within one mm: the page that a walker has read of at one address is freed, and faulted in at another.
//!
//! Nobody else ever gets the page, and its counts come out right: whoever got it without looking again holds a reference of a
//! page of its own mm. But it asked for the memory at one address, and holds that of another. Only the history of
//! the entry tells (I1).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/moves",
    catalogue: "R01",
    about: "A page is unmapped, freed and faulted in elsewhere in the same mm between GUP's read of the entry and its pin.",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, NO_IPI),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, 2 * size.pages);
    let whole = boot.anon_area(2 * size.pages);
    let (here, there) = (whole.first(size.pages), whole.last(size.pages));
    let page = boot.populate(here)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, here, Foll::WRITE);
    let moves = scene.cpu("moves", move |cpu| {
        madvise_dontneed(cpu, here.mm, here.start, here.end);
        do_user_addr_fault(cpu, there.mm, there.start, FaultFlags::WRITE) == VmFault::Done
    });
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    scene.sometimes("the page is mapped elsewhere", did(moves));
    scene.into_program()
}
