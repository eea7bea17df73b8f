//! A page is pinned while it is about to move to another address (adef440691ba, v6.8).
//!
//! What is pinned must stay where it was pinned. The move looks for pins twice, and the second look decides: once the entry is cleared and
//! flushed. If it finds one the entry comes back; and the page must not have been said to be elsewhere by then, or nobody who comes by
//! way of the page finds it any more (d7a08838ab74, in time for v6.8; of a huge pmd c0205eaf3af9, after it).

use gupcheck_races::prelude::*;

use crate::areas::{ORDERED, all_found, two};

const RELAXED: &[&Profile] = &[&ARM64];

/// PTE by PTE.
pub(crate) const PTES: Race = Race {
    name: "uffd/pin",
    catalogue: "-",
    about: "A page is pinned while UFFDIO_MOVE takes it to another address.",
    profiles: ORDERED,
    before: &[],
    needs: &[
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::TlbFlush, RELAXED),
        Need::of(Step::FlushBarrier, RELAXED),
        Need::of(Step::PteRecheck, ORDERED),
        Need::of(Step::MoveChecksPins, ORDERED),
        Need::of(Step::MoveRmapLast, ORDERED),
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build: |size, kernel| {
        let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
        let areas = two(&mut boot, size.pages, true);
        let pages = boot.populate(areas.0);
        build(boot, size, areas, pages)
    },
};

/// A huge pmd. More pages are the same page: its head is asked for.
pub(crate) const HUGE: Race = Race {
    name: "uffd/huge-pin",
    about: "A huge page is pinned while UFFDIO_MOVE takes it to another address as a whole.",
    indifferent: &[],
    build: |size, kernel| {
        let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
        let pages = boot.geometry().pages_per_pmd();
        let areas = two(&mut boot, pages, false);
        let head = boot.mapped_thp(areas.0, true);
        build(boot, size, areas, vec![head])
    },
    ..PTES
};

fn build(boot: Boot, size: Size, (src, dst): (Area, Area), pages: Vec<Pfn>) -> Program {
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, src.mm, src.start, size.pages as i32, Foll::WRITE)
    });
    scene.cpu("uffd", move |cpu| move_pages(cpu, dst, src).ok());
    let (caller, page) = (gup[0], pages[0]);
    scene.keeps(
        Invariant::I4,
        "what a caller pinned is where it was",
        move |end| {
            let stays = |nth, pfn| end.is_there(src, nth, pfn);
            let pinned = |pfn| gup.iter().any(|&lane| end.got_page(lane, pfn));
            (0..)
                .zip(&pages)
                .all(|(nth, &pfn)| !pinned(pfn) || stays(nth, pfn))
        },
    );
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves", move |end| end.is_there(dst, 0, page));
    scene.sometimes("a caller pins it", move |end| end.got_page(caller, page));
    scene.into_program()
}
