//! R05: a folio is split while a walker, with a tail in hand, takes its reference of the old head.
//!
//! The split puts the same entries back, so that the recheck of the entries tells nothing. Only looking the
//! head up again does.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/head-moves",
    catalogue: "R05",
    about: "A large folio is split between GUP's lookup of its head and the reference: the reference goes to an unrelated page.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::HeadRecheck, NO_IPI),
        // The pages are mapped as before in the end; but in between they were not exclusive, and a pin is looked at.
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::UnfreezeRelease, RELAXED),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.pte_mapped_thp(area);
    // The splitter's.
    boot.take_reference(head);
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    // The last pages of the folio: all of them tails, unless every page is asked for.
    let gup = scene.pinners(size.cpus, area.last(size.pages), Foll::WRITE);
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    let tail = head.plus(area.pages as u32 - size.pages);
    scene.sometimes("a caller pins a page that was a tail", gets(gup[0], tail));
    scene.sometimes("the folio is split", did(splitter));
    scene.sometimes("a pin keeps the folio whole", move |end| {
        end.is(splitter, "ret", "-EAGAIN") && end.got(gup[0]) > 0
    });
    scene.into_program()
}
