//! `MADV_DONTNEED`, and a fault of the same address: the same page may be there again, or another, while GUP walks (R01, R55).
//!
//! What a pin then means: that the page was mapped there when it was pinned (I1), and no more. Who pinned before `MADV_DONTNEED`
//! keeps a page that the address has lost; the fault brings another, and what a device writes goes where nobody looks.
//! That is no race: `MADV_DONTNEED` of pinned memory is the caller's own fault.
//!
//! If nobody holds the page it is free, and the fault may well get it back: the frame that was freed last is handed out first.
//! Then the entry has the value that it had. A walker that read it before, and takes its reference after, finds no change
//! (ABA); rightly so, for its page is mapped there at the second look. `tests/refault.rs` shows that this happens.
//!
//! Pins are not for arm64: by C11 the pin of a page that was just faulted in meets finding F3 there, because the walker's mark may come
//! before its second look. By LKMM, by which `weak` is judged, it depends on that look, and comes after it. (What is left of F3 by LKMM is
//! load buffering, which no engine explores: docs/limits.md.)

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/refault",
    catalogue: "R55",
    about: "A page is unmapped by MADV_DONTNEED and faulted in again, or another in its place, while GUP gets it.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(|size, kernel| build(size, kernel, Scene::getters))
};

pub(crate) const PIN: Race = Race {
    name: "pte-clear/refault-pin",
    about: "A page is unmapped by MADV_DONTNEED and faulted in again, or another in its place, while GUP pins it.",
    profiles: X86_AND_WEAK,
    needs: &[
        Need::of(Step::AddUnlessZero, PV_AND_WEAK),
        Need::of(Step::PteRecheck, X86_AND_WEAK),
    ],
    build: |size, kernel| build(size, kernel, Scene::pinners),
    ..RACE
};

fn build(size: Size, kernel: Kernel, callers: fn(&mut Scene, u32, Area, Foll) -> Lanes) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = callers(&mut scene, size.cpus, area, Foll::WRITE);
    scene.cpu("madvise, fault", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
        write_fault(area)(cpu)
    });
    let caller = gup[0];
    let now = move |end: &Ending<'_>| end.mapped(area.mm, area.start);
    let first = |end: &Ending<'_>, lane| end.pages(lane).next().map(|page| page.pfn);
    scene.always(
        "what a caller has is there, or was there before",
        move |end| {
            let pinned = gup.iter().filter_map(|&lane| first(end, lane));
            pinned
                .into_iter()
                .all(|pfn| pfn == page || Some(pfn) == now(end))
        },
    );
    scene.sometimes(
        "the same page is there again, and a caller has it",
        move |end| end.got_page(caller, page) && now(end) == Some(page),
    );
    scene.sometimes(
        "another page is there, and a caller has the old one",
        move |end| end.got_page(caller, page) && now(end) != Some(page),
    );
    scene.sometimes("a caller gets nothing", gets_nothing(caller));
    scene.into_program()
}
