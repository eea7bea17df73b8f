//! R08, the other pair: a page that was given up is written to by a device, marked dirty, and dropped, just before reclaim looks.
//!
//! Reclaim finds no reference, and discards the page unless it is dirty. The mark was set before the reference was dropped; so it
//! must be read after the count was. A branch does not do that, a read barrier does (6c8e2a256915).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/lazyfree-dirty",
    catalogue: "R08",
    about: "A device's page is marked dirty and dropped just before reclaim finds no reference, and looks whether it is dirty.",
    needs: &[
        Need::of(Step::AddUnlessZero, EVERYWHERE),
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::LazyfreeRefs, EVERYWHERE),
        Need::of(Step::LazyfreeBarrier, WEAKEST),
        Need::of(Step::LazyfreeRmb, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.madvise_free(area.mm, area.start, page);
    let mut scene = Scene::new(boot);
    let drivers = scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        let (mm, flags) = (area.mm, Foll::WRITE);
        let gup = get_user_pages_fast_only(cpu, mm, area.start, area.pages, flags);
        write_and_put_pages(cpu, &gup.pages, 1);
        gup.pages.first().is_some_and(|got| got.pfn == page)
    });
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    scene.always("what a device wrote is still there (I5)", move |end| {
        !end.any_did(&drivers) || end.is_there(area, 0, page)
    });
    scene.sometimes("the page is discarded", did(reclaim));
    scene.sometimes("a device writes to it", did(drivers[0]));
    scene.into_program()
}
