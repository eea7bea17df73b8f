//! R12, what moves: a device writes to a page and its driver drops it, just before migration looks at the count.
//!
//! A kernel that copies the contents as soon as it has the folio's lock moves what the page held before. So they are copied once it is
//! decided that nobody can have a reference. That the copy comes *after* the look is an order of two reads, which x86 keeps and
//! others need not: under arm64 the kernel fails (docs/findings.md, F7; `tests/findings.rs` here).

use gupcheck_races::prelude::*;

use crate::profiles::{PV, X86};

pub(crate) const RACE: Race = Race {
    name: "migration/contents",
    catalogue: "R12",
    about: "A device writes to a page and its driver drops it, just before migration finds no reference and copies the page.",
    profiles: X86,
    before: &[],
    needs: &[
        Need::of(Step::AddUnlessZero, PV),
        Need::of(Step::PteRecheck, PV),
        Need::of(Step::MigrateCopiesLast, X86),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let drivers = scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        let gup = get_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE);
        write_and_put_pages(cpu, &gup.pages, 1);
        !gup.pages.is_empty()
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &[page], MigrateMode::Async) > 0
    });
    let driver = drivers[0];
    scene.always("what a device wrote is there", move |end| {
        let wrote = drivers.iter().any(|&lane| end.is(lane, "did", "yes"));
        !wrote || end.contents(area, 0) == Some(1)
    });
    scene.sometimes("a device writes, and the page moves", move |end| {
        end.is(driver, "did", "yes") && end.is(migration, "did", "yes")
    });
    scene.into_program()
}
