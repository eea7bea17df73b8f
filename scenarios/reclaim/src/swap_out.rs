//! R11: a page is swapped out while it is pinned.
//!
//! Since v5.11 (feb889fb40fa) reclaim gives no slot to a page that is pinned; but it looks *before* the entry is cleared, and a pin
//! may come in between. Until v5.19 such a page came back shared, and the next write of user space copied it: the device went
//! on with another page than the process. Since then (6c287605fd56) reclaim looks again once the entry is cleared, and puts the
//! entry back. That look decides; the first one saves work.

use gupcheck_races::prelude::*;

use crate::profiles::{ALL, NO_IPI, RELAXED, WEAKEST};

pub(crate) const RACE: Race = Race {
    name: "reclaim/swap-out",
    catalogue: "R11",
    about: "Reclaim finds a page unpinned and swaps it out, while GUP pins it through the entry that was there.",
    profiles: ALL,
    before: &[],
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::PteRecheck, ALL),
        Need::of(Step::SwapChecksPins, ALL),
    ],
    indifferent: &[Step::SwapPeeksFirst],
    // Without the pin's first barrier, of two, there is much more to see.
    tested: &[
        Tested::whole(1, 1, 200_000),
        Tested::whole(1, 2, 20_000),
        Tested::part(2, 1, 20_000),
        Tested::whole(2, 1, 50_000_000).longer(),
    ],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.swap_space(1);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    let caller = gup[0];
    scene.always(
        "what a caller pinned stays mapped, and exclusive (I4)",
        move |end| {
            let pinned = gup.iter().any(|&lane| end.got_page(lane, page));
            !pinned
                || end.mapped(area.mm, area.start).is_some()
                    && end.is_exclusive(end.machine.page(page))
        },
    );
    scene.sometimes("the page is swapped out and freed", move |end| {
        end.is(reclaim, "did", "yes")
    });
    scene.sometimes("a caller pins it", move |end| end.got_page(caller, page));
    scene.into_program()
}
