//! R11, of a reference that is no pin: the page is swapped out under it, and must come back as the same page.
//!
//! Reclaim does not look for references when it unmaps a page that goes to swap space; they keep the folio in the swap cache. What the
//! fault then makes of it was decided by its references until v5.19: there was one too many, so the next write copied it,
//! and whoever held the reference (direct I/O, before it took pins) wrote to a page that nobody had any more. Now the swap
//! entry remembers that the page was exclusive (1493a1913e34).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/swap-in",
    catalogue: "R11",
    about: "A page is swapped out while GUP gets a reference of it, and comes back by a write fault.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::SwapExclusive, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.swap_space(1);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    let reclaim = scene.cpu("reclaim, fault", move |cpu| {
        let freed = reclaim_pages(cpu, &[page]) > 0;
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
        freed
    });
    scene.always("what a caller got is still there (I4)", move |end| {
        !end.any_got(&gup, page) || end.is_there(area, 0, page)
    });
    scene.sometimes("the page is swapped out and freed", did(reclaim));
    scene.sometimes("a caller gets it", gets(gup[0], page));
    scene.into_program()
}
