//! R37: a page of another process is pinned, and the wrong mm is marked as having pins.
//!
//! Whoever pins another's pages takes that one's mmap lock, and so does fork: the two never overlap, and the sequence has no
//! part in it. All that tells fork of the pin is the mark. The first kernel with a mark (008cfe4418b3) set the caller's own;
//! a4d63c3732f1 mended it some days later.

use crate::pinned::stays_the_areas_alone;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/remote-pin",
    catalogue: "R37",
    about: "A page of a process is pinned by another one before it forks: its own mm has to be marked.",
    needs: &[
        Need::of(Step::HasPinned, EVERYWHERE),
        Need::of(Step::MarkTargetMm, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
    ],
    indifferent: &[Step::ForkSequence],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let child = boot.child_of(area);
    let other = boot.new_mm();
    // A copy of each page for the child; or, if the child shares it by the time it is pinned, for the parent, for whom as many
    // may make one as there are callers.
    boot.free_pages(size.pages * size.cpus);
    let mut scene = Scene::new(boot);
    let pinned = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        let mm = cpu.machine().mm(area.mm);
        mm.read_lock(cpu);
        let gup = pin_user_pages_remote(cpu, other, area.into(), Foll::WRITE, None);
        mm.read_unlock(cpu);
        gup
    });
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    scene.always(
        "what is pinned is the parent's, and exclusive (I4)",
        move |end| stays_the_areas_alone(end, &pinned, area),
    );
    scene.always("both do what they came for", move |end| {
        end.did(fork) && end.got(pinned[0]) == area.pages as usize
    });
    let shared = move |end: &Ending<'_>| end.mapped(child.mm, child.start) == Some(page);
    scene.sometimes(
        "the page is pinned first, and copied for the child",
        move |end| !shared(end),
    );
    scene.sometimes("fork comes first, and shares the page", shared);
    scene.into_program()
}
