//! R09: ksmd merges a page while direct I/O gets a reference of it to write into it.
//!
//! ksmd clears the entry, and compares the references with those that it knows of. Either it sees the walker's, or the walker
//! sees the entry gone, or read-only. Were the count compared first, the reference could come after it.
//!
//! The comparison has no barrier of its own: it rests on the clear's (x86) or the flush's (arm64). Generic code promises
//! neither, so `weak` is not named. (A pin is looked for behind a barrier of its own: `ksm_read_pin`.)

use crate::words::{ksm_page, still_mapped};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/ksm-merge",
    catalogue: "R09",
    about: "A page is merged with another of the same contents while a reference is taken to write into it.",
    profiles: X86_AND_ARM64,
    needs: &[
        Need::of(Step::KsmClearFirst, X86_AND_ARM64),
        Need::of(Step::KsmCountsReferences, X86_AND_ARM64),
        Need::of(Step::AddUnlessZero, PV_AND_ARM64),
        // Where the flush waits, the page is not reused, but it was gone when the reference came (I1).
        Need::of(Step::PteRecheck, X86_AND_ARM64),
        Need::of(Step::PinBarrier, ONLY_ARM64),
        Need::of(Step::TlbFlush, ONLY_ARM64),
        Need::of(Step::FlushBarrier, ONLY_ARM64),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let kpage = ksm_page(&mut boot);
    let mut scene = Scene::new(boot);
    // ksmd has found it in its tree.
    scene.held(kpage, 1);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    let ksmd = scene.cpu("ksmd", move |cpu| {
        ksm_merge(cpu, area.mm, area.start, Some(kpage))
    });
    scene.always(
        "what a caller writes into stays where it was (I5)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.sometimes("the page is merged", did(ksmd));
    scene.sometimes("a reference keeps it from being merged", move |end| {
        !end.did(ksmd) && end.got(gup[0]) > 0
    });
    scene.into_program()
}
