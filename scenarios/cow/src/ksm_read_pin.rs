//! R03, A and B: ksmd gives a page's exclusivity up, and puts the same entry back, while the page is pinned for reading.
//!
//! The page is read-only and clean: the entry that ksmd puts back is the one that it cleared. So a walker that rechecks the entry
//! after that finds it as it was. All that tells is the exclusive bit.
//! - A: the pin is not visible when ksmd looks for pins, and the clear is not when the walker rechecks. A full barrier on both
//!   sides (`pincount-barrier`; the clear's, the flush's, `peek-barrier`).
//! - B: the pin comes after ksmd has looked, and the recheck after the entry is back. The bit must be cleared before that
//!   (`share-barrier`), and looked at after the recheck (`exclusive-barrier`); 088b8aa537c2.

use crate::words::{EVERYWHERE, RELAXED, UNINTERRUPTED, ksm_page, still_mapped};
use gupcheck_races::prelude::*;

const ONLY_WEAK: &[&Profile] = &[&WEAK];

pub(crate) const RACE: Race = Race {
    name: "cow/ksm-read-pin",
    catalogue: "R03",
    about: "A read-only page is merged with another of the same contents while it is pinned for reading: its entry is cleared, and comes back the same.",
    profiles: EVERYWHERE,
    before: &[],
    needs: &[
        Need::of(Step::ExclusiveBarrier, RELAXED),
        Need::of(Step::ShareBarrier, RELAXED),
        // On arm64 the flush orders the look at all references, of which the pin's first is one.
        Need::of(Step::PincountBarrier, ONLY_WEAK),
        Need::of(Step::PeekBarrier, ONLY_WEAK),
        Need::of(Step::UnshareFirst, EVERYWHERE),
        Need::of(Step::AddUnlessZero, UNINTERRUPTED),
        // Where the flush waits, the page is not reused, but it was gone when the reference came (I1).
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    boot.write_protect(area);
    let kpage = ksm_page(&mut boot);
    let mut scene = Scene::new(boot);
    // ksmd has found it in its tree.
    scene.held(kpage, 1);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    let ksmd = scene.cpu("ksmd", move |cpu| {
        ksm_merge(cpu, area.mm, area.start, Some(kpage))
    });
    let caller = gup[0];
    let all = gup.clone();
    scene.always(
        "what is pinned stays where it was pinned (I4)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.always("what is pinned is exclusive (I4)", move |end| {
        let pinned = all.iter().flat_map(|&lane| end.pages(lane));
        pinned.into_iter().all(|page| end.is_exclusive(page))
    });
    scene.sometimes("the page is merged", move |end| end.is(ksmd, "did", "yes"));
    scene.sometimes("a pin keeps it from being merged", move |end| {
        end.is(ksmd, "did", "no") && end.got(caller) > 0
    });
    scene.into_program()
}
