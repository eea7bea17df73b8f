//! R12 of a page in the swap cache, against those whom its count is frozen for: a fault that finds it there without a mapping.
//!
//! The fault takes a reference with no lock at all. If it does so before the count is frozen, the page does not move; while it is
//! frozen, it is refused; later it finds the page's new frame. A kernel that looks at the count instead moves a page of which the
//! fault has a reference; but the fault, with the folio's lock, asks whether it is still in the cache. Each of the two will do
//! (`tests/either.rs`).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/swap-cache",
    catalogue: "R12",
    about: "A page in the swap cache that nobody maps is moved while a fault finds it there.",
    needs: &[Need::of(Step::AddUnlessZero, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let slot = boot.map_swap(area.mm, area.start, true);
    let page = boot.cached_for(slot);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let faults = scene.alike("fault{}", size.cpus, write_fault(area));
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &[page], MigrateMode::Async) > 0
    });
    scene.always("a page that moved is not mapped where it was", move |end| {
        !end.did(migration) || end.mapped(area.mm, area.start) != Some(page)
    });
    scene.sometimes("the page is mapped where it was", move |end| {
        end.mapped(area.mm, area.start) == Some(page)
    });
    scene.sometimes("the page moves", did(migration));
    scene.sometimes("the fault is done", did(faults[0]));
    scene.into_program()
}
