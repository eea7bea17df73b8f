//! R54 for migration: a page's contents are copied while a thread still writes to it by a stale translation.
//!
//! The flush that was put off for the batch must come before anything of it is copied (`try_to_unmap_flush` in
//! `migrate_pages_batch`). Where each entry is flushed at once there is nothing to make up for.

use gupcheck_races::prelude::*;

use crate::profiles::{ALL, RELAXED};

pub(crate) const RACE: Race = Race {
    name: "migration/stale-write",
    catalogue: "R54",
    about: "Migration unmaps a page, puts the flush off, and copies the page, while a thread writes to it.",
    profiles: ALL,
    before: &[],
    needs: &[
        Need::of(Step::TlbFlush, ALL),
        Need::of(Step::FlushBeforeMove, ALL),
        Need::of(Step::MigrateCopiesLast, ALL),
        Need::of(Step::RmapOrdered, RELAXED),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let pages = boot.populate(area);
    for _ in &pages {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, move |cpu: &Cpu<'_>| {
        user_write(cpu, area.mm, area.start, 1)
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &pages, MigrateMode::Async) > 0
    });
    let thread = threads[0];
    scene.always("what a thread wrote is there", move |end| {
        let wrote = threads.iter().any(|&lane| end.is(lane, "did", "yes"));
        !wrote || end.contents(area, 0) == Some(1)
    });
    scene.sometimes("a thread writes, and the page moves", move |end| {
        end.is(thread, "did", "yes") && end.is(migration, "did", "yes")
    });
    scene.sometimes("a thread comes too late", move |end| {
        end.is(thread, "did", "no")
    });
    scene.into_program()
}
