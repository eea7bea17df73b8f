//! R34: a count that has wrapped is raised to the last reference, and dropped.
//!
//! Somebody has taken almost 2^32 references by a way that has no guard, as the kernel's pipes had none
//! (15fab63e1e57): the count is negative. A pin would bring it to one. Then the mapping's reference is the last, and
//! the page is freed for all who hold it.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/wrapped-count",
    catalogue: "R34",
    about: "A count has wrapped; GUP's pins bring it to where the next drop frees a page that 2^32 others hold.",
    needs: &[Need::of(Step::RefcountGuard, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    // As many as all the pins together are too few for 2^32: with them, the mapping's is the only one.
    let held = -GUP_PIN_COUNTING_BIAS * size.cpus as i32;
    boot.set_references(page, held + 1);
    let mut scene = Scene::new(boot);
    scene.held(page, held);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    scene.cpu("madvise", dontneed(area));
    scene.always("a page that is held is not freed (I9)", move |end| {
        !end.is_free(page)
    });
    scene.sometimes("the pin is refused", gets_nothing(gup[0]));
    scene.into_program()
}
