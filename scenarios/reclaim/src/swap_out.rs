//! R11: a page is swapped out while it is pinned.
//!
//! Since v5.11 (feb889fb40fa) reclaim gives no slot to a page that is pinned; but it looks *before* the entry is cleared, and a pin
//! may come in between. Until v5.19 such a page came back shared, and the next write of user space copied it: the device went
//! on with another page than the process. Since then (6c287605fd56) reclaim looks again once the entry is cleared, and puts the
//! entry back. That look decides; the first one saves work.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/swap-out",
    catalogue: "R11",
    about: "Reclaim finds a page unpinned and swaps it out, while GUP pins it through the entry that was there.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::SwapChecksPins, EVERYWHERE),
    ],
    indifferent: &[Step::SwapPeeksFirst],
    // Without the pin's first barrier, of two, there is much more to see.
    tested: &[
        Tested::whole(1, 1, 200_000),
        Tested::whole(1, 2, 20_000),
        Tested::part(2, 1, 2_000),
        Tested::whole(2, 1, 50_000_000).longer(),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.swap_space(1);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    scene.always(
        "what a caller pinned stays mapped, and exclusive (I4)",
        move |end| {
            let pinned = end.any_got(&gup, page);
            !pinned
                || end.mapped(area.mm, area.start).is_some()
                    && end.is_exclusive(end.machine.page(page))
        },
    );
    scene.sometimes("the page is swapped out and freed", did(reclaim));
    scene.sometimes("a caller pins it", gets(gup[0], page));
    scene.into_program()
}
