//! R49: the gate for long-term pins is asked of a folio that the walker does not hold yet.
//!
//! The page is a tail, and its folio's head lies in an ordinary block. The folio is split, and the page is a folio by itself,
//! in a block of the contiguous memory allocator's: by then the answer would be another one. (In the kernel a folio
//! seldom lies in two blocks. Here it does, so that the head's answer is not the page's.)

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/gate-order",
    catalogue: "R49",
    about: "A folio is split between GUP's question whether it may be pinned for long and the reference.",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::GateAfterReference, NO_IPI),
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::RefcountFreeze, NO_IPI),
        // What every walker needs whose folio is split (R05).
        Need::of(Step::HeadRecheck, NO_IPI),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::UnfreezeRelease, RELAXED),
        Need::of(Step::PeekBarrier, WEAKEST),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    // The splitter's reference, and one for each mapping.
    let head = boot.thp(Owner::Us, 1);
    for n in 0..pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map(area.mm, addr, head.plus(n), true);
    }
    let tail = head.plus(pages - 1);
    boot.pageblock(&[tail], Migratetype::Cma);
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    let start = area.start + u64::from(pages - size.pages) * PAGE_SIZE;
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        let flags = Foll::WRITE | Foll::LONGTERM;
        pin_user_pages_fast_only(cpu, area.mm, start, size.pages as i32, flags)
    });
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    scene.always(
        "no page by itself in such a block is pinned (I7)",
        move |end| !end.did(splitter) || !end.any_got(&gup, tail),
    );
    scene.sometimes("a caller pins the tail", gets(gup[0], tail));
    scene.sometimes("the folio is split", did(splitter));
    scene.into_program()
}
