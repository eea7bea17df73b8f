//! CVE-2026-99662: GUP is asked for no pages. No race is needed: the loops look for the end after their first turn, and
//! the last level's has passed it by then. Whether there is a page to be written beyond the caller's array depends on
//! who was first; on no architecture.

use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_NATIVE, &ARM64];

pub(crate) const RACE: Race = Race {
    name: "pte-clear/no-pages",
    catalogue: "-",
    about: "GUP is asked for no pages, and walks all the same, while the page that it meets is zapped.",
    profiles: PROFILES,
    needs: &[Need::of(Step::NrPagesCheck, PROFILES)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, 0, Foll::WRITE)
    });
    scene.cpu("madvise", dontneed(area));
    scene.keeps(Invariant::I10, "no pages are none", move |end| {
        gup.iter()
            .all(|&lane| end.end.returned(lane).all("ret").eq([0]))
    });
    scene.sometimes("the page is free in the end", move |end| end.is_free(page));
    scene.into_program()
}
