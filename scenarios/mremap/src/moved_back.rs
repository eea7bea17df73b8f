//! R29: `mremap` runs out of memory, and moves back what it has moved, while a page of it is migrated.
//!
//! A walk from a page to its mappings visits the old area first, and the new one after that: so it finds what is moved
//! meanwhile. What is moved *back* it would pass by: it has been in the old area, and comes to the new one when that is empty. Whoever
//! puts migration entries back would leave one behind, for which a fault waits for ever. So the way back is made with the
//! anon_vma lock held (38a76013ad80 kept it for this way, and dropped it for the other).

use gupcheck_races::prelude::*;

const RELAXED: &[&Profile] = &[&ARM64, &RISCV_SBI];

pub(crate) const RACE: Race = Race {
    name: "mremap/moved-back",
    catalogue: "R29",
    about: "mremap finds no memory for a second table, and moves pages back, while one of them is migrated.",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::RmapWalkLock, HARDWARE_WALKS),
        Need::of(Step::UnlinkRmapFirst, HARDWARE_WALKS),
        Need::of(Step::MoveBackRmapLock, HARDWARE_WALKS),
        // The walk goes into the tables that mremap has made at the new address: R23.
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

/// As many migrations as there are callers elsewhere. Two pages, on both sides of a table's end: neither is a whole table, and each
/// needs one at the new address. There is memory for two frames more, of which a migration may have one.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let span = boot.geometry().span(Level::Pmd);
    let area = boot.anon_area_at(span - PAGE_SIZE, 2);
    let page = boot.populate(area)[0];
    boot.free_pages(2);
    let new = boot.destination(area, area.start + 2 * span);
    let mut scene = Scene::new(boot);
    let migrations = scene.alike("cpu{} migration", size.cpus, move |cpu: &Cpu<'_>| {
        migrate_page(cpu, page).is_some()
    });
    let moves = scene.cpu("mremap", move |cpu| mremap(cpu, area, new));
    scene.always("both pages are mapped in one of the two", move |end| {
        let there = if end.did(moves) { new } else { area };
        (0..2).all(|n| end.mapped(there.mm, there.addr(n)).is_some())
    });
    scene.sometimes(
        "what was moved goes back, and the page is migrated",
        move |end| end.is(moves, "ret", "-ENOMEM") && end.did(migrations[0]),
    );
    scene.sometimes("the area is moved", did(moves));
    scene.into_program()
}
