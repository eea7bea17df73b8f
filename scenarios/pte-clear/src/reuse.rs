//! R01: the entry is cleared, the page freed and handed to somebody else, while a walker holds the old entry.
//!
//! Where a TLB flush is an IPI, interrupts off keep the page from being freed. Where it is not, two things
//! do: no reference is taken of a free page, and an entry that changed makes the walker give the page back.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/reuse",
    catalogue: "R01",
    about: "A page is unmapped, freed and given to another owner between GUP's read of the entry and its pin.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("madvise", dontneed(area));
    let other = scene.cpu("allocator", |cpu| {
        alloc_folio(cpu, 0, Owner::Other).map(|folio| folio.head().pfn)
    });
    scene.owns_what_it_returns(other);
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("a page comes back with another owner", gets_all(other, 1));
    scene.into_program()
}
