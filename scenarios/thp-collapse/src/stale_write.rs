//! khugepaged copies pages while a thread still writes to one of them by a translation.
//!
//! By the time the pages are copied the pmd is cleared, and the flush must have come between (`pmdp_collapse_flush`): what is written
//! after the copy would be in a page that is freed. Here threads that write are in the place of GUP callers.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/stale-write",
    catalogue: "R54",
    about: "khugepaged copies the pages of a table that it has unlinked, while a thread writes to one of them.",
    profiles: HARDWARE_WALKS,
    needs: &[Need::of(Step::TlbFlush, HARDWARE_WALKS)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.hardware(area);
    boot.populate(area);
    let huge = boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    scene.cpu("khugepaged", collapse(area));
    scene.always("what a thread wrote is in the huge page", move |end| {
        let wrote = end.any_did(&threads);
        end.mapped(area.mm, area.start) == Some(huge) && (!wrote || end.contents_of(huge) == 1)
    });
    scene.sometimes("a thread writes", did(threads[0]));
    scene.sometimes("a thread comes too late", did_not(threads[0]));
    scene.into_program()
}
