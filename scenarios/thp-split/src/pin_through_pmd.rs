//! R13: a huge pmd is split while a pin comes through it.
//!
//! Whoever splits makes the pmd not-present first, and decides then whether the page is exclusive. A pin that came
//! before is seen; one that comes later finds the pmd changed. Decided the other way round, a page is pinned and not
//! exclusive, which whoever unpins finds out, as the kernel's `unpin_user_page` does (I4).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/pin-through-pmd",
    catalogue: "R13",
    about: "A huge page is pinned through its pmd while the pmd is split and exclusivity given up.",
    needs: &[
        Need::of(Step::EntryReadOnce, WEAKEST),
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::UnfreezeRelease, RELAXED),
        Need::of(Step::SplitInvalidateFirst, EVERYWHERE),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area().first(size.pages);
    let head = boot.mapped_thp(area, true);
    // The splitter's.
    boot.take_reference(head);
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    let pinners = scene.alike("cpu{} pin, unpin", size.cpus, move |cpu: &Cpu<'_>| {
        let gup = pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE);
        unpin_user_pages(cpu, &gup.pages);
        !gup.pages.is_empty()
    });
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    scene.sometimes("a pin keeps the folio whole", move |end| {
        end.did(pinners[0]) && end.is(splitter, "ret", "-EAGAIN")
    });
    scene.sometimes("the folio is split", did(splitter));
    scene.into_program()
}
