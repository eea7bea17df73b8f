//! R45, R54: a page with a NUMA hint is migrated before the hint's flush is done.
//!
//! A prot-none entry is one that hardware does not use, and so whoever takes it away need not flush. But who has just made it
//! prot-none flushes at his end, and a thread may write by its translation until then: what it writes while the page is copied is
//! lost. So there is a count of those who have a flush to do (20841405940e, v3.13), and whoever takes a prot-none entry away asks for it.
//! Here threads that write by a translation are in the place of GUP callers.

use gupcheck_races::prelude::*;

const RELAXED: &[&Profile] = &[&ARM64, &RISCV_SBI];

pub(crate) const RACE: Race = Race {
    name: "protect/hint-migration",
    catalogue: "R45",
    about: "A page gets a NUMA hint, and is migrated before that is flushed, while a thread writes to it.",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::TlbFlush, HARDWARE_WALKS),
        Need::of(Step::AccessibleWhilePending, HARDWARE_WALKS),
        // The copy, behind the look at the references.
        Need::of(Step::MigrateCopiesLast, HARDWARE_WALKS),
        Need::of(Step::RmapOrdered, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    scene.cpu("numa", move |cpu| change_prot_numa(cpu, area));
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, page).is_some());
    scene.always("what a thread wrote is there", move |end| {
        let wrote = end.any_did(&threads);
        !wrote || end.contents(area, 0) == Some(1)
    });
    scene.sometimes("a thread writes, and the page moves", move |end| {
        end.did(threads[0]) && end.did(migration)
    });
    scene.sometimes("a thread comes too late", did_not(threads[0]));
    scene.into_program()
}
