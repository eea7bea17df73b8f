//! R25 under the lock: two CPUs find the same hole, and both have a page for it.
//!
//! Page faults run side by side. What a fault read before it had the page-table lock may have changed by then: it
//! reads again, and goes by that. Otherwise the second page takes the place of the first, which stays mapped nowhere,
//! counted as mapped, and in the hands of whoever got it.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fault/two-faults",
    catalogue: "R25",
    about: "Two page faults fill the same hole: the one that comes second must see that it does.",
    needs: &[Need::of(Step::RereadUnderLock, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    boot.free_pages(size.cpus * size.pages);
    // The last one is the first to be allocated.
    let first = boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE) == VmFault::Done
    });
    scene.always("a caller gets every page", each_gets(gup, size.pages));
    let first_maps = move |end: &Ending<'_>| end.mapped(area.mm, area.start) == Some(first);
    scene.sometimes("whoever had a page first maps it", first_maps);
    scene.sometimes("somebody who had a page later was faster", move |end| {
        !first_maps(end)
    });
    scene.into_program()
}
