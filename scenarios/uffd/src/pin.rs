//! A page is pinned while it is about to move to another address (adef440691ba, v6.8).
//!
//! What is pinned must stay where it was pinned. The move looks for pins twice, and the second look decides: once the entry is cleared and
//! flushed. If it finds one the entry comes back; and the page must not have been said to be elsewhere by then, or nobody who comes by
//! way of the page finds it any more (d7a08838ab74, in time for v6.8; of a huge pmd c0205eaf3af9, after it).
//!
//! Between the entry and the look there is no barrier but the clear's and the flush's: `docs/findings.md`, F9.

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/pin",
    about: "A page is pinned while UFFDIO_MOVE takes it to another address.",
    profiles: X86_AND_ARM64,
    needs: &[
        Need::of(Step::PincountBarrier, ONLY_ARM64),
        Need::of(Step::TlbFlush, ONLY_ARM64),
        Need::of(Step::FlushBarrier, ONLY_ARM64),
        Need::of(Step::PteRecheck, X86_AND_ARM64),
        Need::of(Step::MoveChecksPins, X86_AND_ARM64),
        Need::of(Step::MoveRmapLast, X86_AND_ARM64),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(small)
};

fn small(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let areas = two(&mut boot, size.pages);
    let pages = boot.populate(areas.0);
    build(boot, size, areas, pages)
}

pub(crate) fn build(boot: Boot, size: Size, (src, dst): (Area, Area), pages: Vec<Pfn>) -> Program {
    let page = pages[0];
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, src.first(size.pages), Foll::WRITE);
    let uffd = movers(&mut scene, 1, (src, dst))[0];
    let text = "what a caller pinned is where it was";
    scene.keeps(Invariant::I4, text, move |end| {
        (0..)
            .zip(&pages)
            .all(|(nth, &pfn)| !end.any_got(&gup, pfn) || end.is_there(src, nth, pfn))
    });
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves", did(uffd));
    scene.sometimes("a caller pins it", gets(gup[0], page));
    scene.into_program()
}
