//! R12, asynchronous: pages are unmapped in a batch whose flush is put off, and then moved, while a caller tries to get them.
//!
//! The decision is the same as in `pte-clear/look`; what is gone is the flush before it. What cannot be moved is tried again, and
//! then mapped again.

use gupcheck_races::prelude::*;

use crate::profiles::{ALL, NO_IPI, RELAXED};

pub(crate) const RACE: Race = Race {
    name: "migration/batch",
    catalogue: "R12",
    about: "Pages are unmapped in a batch without a flush, and moved unless somebody has a reference, while GUP gets them.",
    profiles: ALL,
    before: &[],
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, ALL),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    program(size, kernel, MigrateMode::Async)
}

/// The first page moves, and one more that nobody asks for.
pub(crate) fn program(size: Size, kernel: Kernel, mode: MigrateMode) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let area = boot.anon_area(size.pages + 1);
    let pages = boot.populate(area);
    for _ in 0..2 {
        boot.free_block(0);
    }
    let moved = [pages[0], pages[size.pages as usize]];
    let page = pages[0];
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &moved, mode) == 2
    });
    let caller = gup[0];
    scene.always("what a caller got is still there (I5)", move |end| {
        !gup.iter().any(|&lane| end.got_page(lane, page)) || end.is_there(area, 0, page)
    });
    scene.sometimes("a caller gets the page, and it stays", move |end| {
        end.got_page(caller, page)
    });
    scene.sometimes("both pages move", move |end| {
        end.is(migration, "did", "yes")
    });
    scene.into_program()
}
