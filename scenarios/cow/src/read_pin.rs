//! R40: a page is shared with a child, and pinned for reading: it is unshared first, or the next write replaces it.
//!
//! Fast GUP leaves what is not exclusive to slow GUP, which makes it the mm's own by a fault: a copy, or the page itself, if
//! nobody else has it any more. From then on a write finds an exclusive page, and reuses it whoever has references. Kernels
//! before v5.19 pinned the shared page, and the next write copied it: the device read on in the old one.

use crate::words::while_unshared;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/read-pin",
    catalogue: "R40",
    about: "A page that a child shares is pinned for reading, while another thread writes to it.",
    needs: &[
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
        Need::of(Step::UnshareFirst, EVERYWHERE),
        Need::of(Step::ReuseExclusive, EVERYWHERE),
        // A copy takes the place of a page that was reused in between.
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.forked(area);
    // Fork has been: nobody asks for the mark any more.
    boot.has_pinned_before(area.mm);
    // Each may make a copy, and only one of them is used.
    boot.free_pages(size.cpus * size.pages + 1);
    let (mut scene, gup) = while_unshared(size, boot, area);
    scene.sometimes(
        "a caller gets another page than the child has",
        move |end| !end.got_page(gup[0], page),
    );
    scene.into_program()
}
