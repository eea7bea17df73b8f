//! R03, A and B: ksmd gives a page's exclusivity up, and puts the same entry back, while the page is pinned for reading.
//!
//! The page is read-only and clean: the entry that ksmd puts back is the one that it cleared. So a walker that rechecks the entry
//! after that finds it as it was. All that tells is the exclusive bit.
//! - A: the pin is not visible when ksmd looks for pins, and the clear is not when the walker rechecks. A full barrier on both
//!   sides (`pincount-barrier`; the clear's, the flush's, `peek-barrier`).
//! - B: the pin comes after ksmd has looked, and the recheck after the entry is back. The bit must be cleared before that
//!   (`share-barrier`), and looked at after the recheck (`exclusive-barrier`); 088b8aa537c2.

use crate::words::{ksm_page, still_mapped};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/ksm-read-pin",
    catalogue: "R03",
    about: "A read-only page is merged with another of the same contents while it is pinned for reading: its entry is cleared, and comes back the same.",
    needs: &[
        Need::of(Step::ExclusiveBarrier, RELAXED),
        Need::of(Step::ShareBarrier, RELAXED),
        // On arm64 the flush orders the look at all references, of which the pin's first is one.
        Need::of(Step::PincountBarrier, WEAKEST),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::UnshareFirst, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
        // Where the flush waits, the page is not reused, but it was gone when the reference came (I1).
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    boot.change_ptes(area, |pte| pte.without(Bits::WRITE | Bits::DIRTY));
    let kpage = ksm_page(&mut boot);
    let mut scene = Scene::new(boot);
    // ksmd has found it in its tree.
    scene.held(kpage, 1);
    let gup = scene.pinners(size.cpus, area, Foll::empty());
    let ksmd = scene.cpu("ksmd", move |cpu| {
        ksm_merge(cpu, area.mm, area.start, Some(kpage))
    });
    scene.always(
        "what is pinned stays where it was pinned (I4)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.always("what is pinned is exclusive (I4)", move |end| {
        let pinned = gup.iter().flat_map(|&lane| end.pages(lane));
        pinned.into_iter().all(|page| end.is_exclusive(page))
    });
    scene.sometimes("the page is merged", did(ksmd));
    scene.sometimes("a pin keeps it from being merged", move |end| {
        !end.did(ksmd) && end.got(gup[0]) > 0
    });
    scene.into_program()
}
