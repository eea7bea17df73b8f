//! `mmap(MAP_POPULATE)` drops the mmap lock for a fault, and the area goes meanwhile: `fault/retry-unmap` of those who want no pages.
//!
//! `__mm_populate` has looked the area up itself, and does so again whenever the lock was dropped.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/populate-munmap",
    about: "An area is populated, and unmapped while the fault of its first page waits for a folio without the mmap lock.",
    needs: &[
        Need::of(Step::PopulateLooksAnew, EVERYWHERE),
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.swap_space(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    boot.cached_for(slot);
    // For the pages behind it; and for whoever maps something where nothing is any more, a table and a page.
    boot.free_pages(size.pages + 1);
    let mut scene = Scene::new(boot);
    let populated = scene.alike("cpu{} populate", size.cpus, move |cpu: &Cpu<'_>| {
        mm_populate(cpu, area.mm, area.start, area.end - area.start, false)
    });
    let fault = scene.cpu("fault", write_fault(area));
    let munmap = scene.cpu("munmap", move |cpu| munmap(cpu, area.mm, area.vma));
    scene.always("munmap finds the area", did(munmap));
    scene.always("nothing is mapped where there is no area", move |end| {
        end.mapped(area.mm, area.start).is_none()
    });
    scene.always("what is not there is no error", move |end| {
        populated.iter().all(|&lane| end.did(lane))
    });
    scene.sometimes("a fault comes first", did(fault));
    scene.sometimes("munmap comes first", did_not(fault));
    scene.into_program()
}
