//! R54 for migration: a page's contents are copied while a thread still writes to it by a stale translation.
//!
//! The flush that was put off for the batch must come before anything of it is copied (`try_to_unmap_flush` in
//! `migrate_pages_batch`). Where each entry is flushed at once there is nothing to make up for.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/stale-write",
    catalogue: "R54",
    about: "Migration unmaps a page, puts the flush off, and copies the page, while a thread writes to it.",
    needs: &[
        Need::of(Step::TlbFlush, EVERYWHERE),
        Need::of(Step::FlushBeforeMove, EVERYWHERE),
        Need::of(Step::MigrateCopiesLast, EVERYWHERE),
        Need::of(Step::RmapOrdered, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let pages = boot.populate(area);
    boot.free_pages(size.pages);
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &pages, MigrateMode::Async) > 0
    });
    scene.always("what a thread wrote is there", move |end| {
        !end.any_did(&threads) || end.contents(area, 0) == Some(1)
    });
    scene.sometimes("a thread writes, and the page moves", move |end| {
        end.did(threads[0]) && end.did(migration)
    });
    scene.sometimes("a thread comes too late", did_not(threads[0]));
    scene.into_program()
}
