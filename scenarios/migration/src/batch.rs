//! R12, asynchronous: pages are unmapped in a batch whose flush is put off, and then moved, while a caller tries to get them.
//!
//! The decision is the same as in `pte-clear/look`; what is gone is the flush before it. What cannot be moved is tried again, and
//! then mapped again.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/batch",
    catalogue: "R12",
    about: "Pages are unmapped in a batch without a flush, and moved unless somebody has a reference, while GUP gets them.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    program(size, kernel, MigrateMode::Async)
}

/// The first page moves, and one more that nobody asks for.
pub(crate) fn program(size: Size, kernel: Kernel, mode: MigrateMode) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let area = boot.anon_area(size.pages + 1);
    let pages = boot.populate(area);
    boot.free_pages(2);
    let (page, last) = (pages[0], pages[size.pages as usize]);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::WRITE);
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &[page, last], mode) == 2
    });
    scene.always("what a caller got is still there (I5)", move |end| {
        !end.any_got(&gup, page) || end.is_there(area, 0, page)
    });
    scene.sometimes("a caller gets the page, and it stays", gets(gup[0], page));
    scene.sometimes("both pages move", did(migration));
    scene.into_program()
}
