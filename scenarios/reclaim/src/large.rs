//! Reclaim of a large folio that PTEs map: it is split first, and then its pages go one by one.
//!
//! The split freezes the count once all mappings are gone. Whoever has a reference by then, of whichever page, has the folio stay.
//! The pages go to reclaim's list, which has a reference of each; or whoever unmaps one meanwhile frees it, and it is on the list.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/large-pin",
    catalogue: "R11",
    about: "Reclaim splits a large folio to swap out its pages, while GUP pins the first of them.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::UnfreezeRelease, RELAXED),
        Need::of(Step::SwapChecksPins, EVERYWHERE),
        Need::of(Step::ListReference, EVERYWHERE),
    ],
    // Under x86, states see the whole.
    tested: &[Tested::part(1, 1, 20_000)],
    ..Race::of(head)
};

fn head(size: Size, kernel: Kernel) -> Program {
    build(size, kernel, false)
}

pub(crate) fn build(size: Size, kernel: Kernel, last: bool) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.pte_mapped_thp(area);
    boot.swap_space(1);
    let (nth, asked) = if last {
        (area.pages as u32 - 1, area.last(1))
    } else {
        (0, area.first(1))
    };
    let page = head.plus(nth);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, asked, Foll::WRITE);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[head]) > 0);
    let text = "what a caller pinned is where it was";
    scene.keeps(Invariant::I4, text, move |end| {
        !end.any_got(&gup, page) || end.mapped(area.mm, asked.start) == Some(page)
    });
    scene.sometimes("a page is swapped out and freed", did(reclaim));
    scene.sometimes("a caller pins a page", gets(gup[0], page));
    scene.sometimes("the folio is split for nothing", move |end| {
        end.any_got(&gup, page) && !end.is_large(head)
    });
    scene.into_program()
}
