//! R09: ksmd merges a page while direct I/O gets a reference of it to write into it.
//!
//! ksmd clears the entry, and compares the references with those that it knows of. Either it sees the walker's, or the walker
//! sees the entry gone, or read-only. Were the count compared first, the reference could come after it.
//!
//! The comparison has no barrier of its own: it rests on the clear's (x86) or the flush's (arm64). Generic code promises
//! neither, so `weak` is not named. (A pin is looked for behind a barrier of its own: `ksm_read_pin`.)

use crate::words::{ksm_page, still_mapped};
use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64];
const UNINTERRUPTED: &[&Profile] = &[&X86_PV, &ARM64];
const ONLY_ARM64: &[&Profile] = &[&ARM64];

pub(crate) const RACE: Race = Race {
    name: "cow/ksm-merge",
    catalogue: "R09",
    about: "A page is merged with another of the same contents while a reference is taken to write into it.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::KsmClearFirst, PROFILES),
        Need::of(Step::KsmCountsReferences, PROFILES),
        Need::of(Step::AddUnlessZero, UNINTERRUPTED),
        // Where the flush waits, the page is not reused, but it was gone when the reference came (I1).
        Need::of(Step::PteRecheck, PROFILES),
        Need::of(Step::PinBarrier, ONLY_ARM64),
        Need::of(Step::TlbFlush, ONLY_ARM64),
        Need::of(Step::FlushBarrier, ONLY_ARM64),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let kpage = ksm_page(&mut boot);
    let mut scene = Scene::new(boot);
    // ksmd has found it in its tree.
    scene.held(kpage, 1);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let ksmd = scene.cpu("ksmd", move |cpu| {
        ksm_merge(cpu, area.mm, area.start, Some(kpage))
    });
    let caller = gup[0];
    scene.always(
        "what a caller writes into stays where it was (I5)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.sometimes("the page is merged", move |end| end.is(ksmd, "did", "yes"));
    scene.sometimes("a reference keeps it from being merged", move |end| {
        end.is(ksmd, "did", "no") && end.got(caller) > 0
    });
    scene.into_program()
}
