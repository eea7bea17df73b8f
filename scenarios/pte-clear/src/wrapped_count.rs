//! R34: a count that has wrapped is raised to the last reference, and dropped.
//!
//! Somebody has taken almost 2^32 references by a way that has no guard, as the kernel's pipes had none
//! (15fab63e1e57): the count is negative. A pin would bring it to one. Then the mapping's reference is the last, and
//! the page is freed for all who hold it.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::GUP_PIN_COUNTING_BIAS;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::madvise_dontneed;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "pte-clear/wrapped-count",
    catalogue: "R34",
    about: "A count has wrapped; GUP's pins bring it to where the next drop frees a page that 2^32 others hold.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[Need {
        step: Step::RefcountGuard,
        profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    }],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    // As many as all the pins together are too few for 2^32: with them, the mapping's is the only one.
    let held = -GUP_PIN_COUNTING_BIAS * size.cpus as i32;
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, held + 1);
    let mut scene = Scene::new(boot);
    scene.held(page, held);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let first = gup[0];
    scene.always("a page that is held is not freed (I9)", move |end| {
        !end.is_free(page)
    });
    scene.sometimes("the pin is refused", move |end| end.got(first) == 0);
    scene.into_program()
}
