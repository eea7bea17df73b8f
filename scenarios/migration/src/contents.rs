//! R12, what moves: a device writes to a page and its driver drops it, just before migration looks at the count.
//!
//! A kernel that copies the contents as soon as it has the folio's lock moves what the page held before. So they are copied once it is
//! decided that nobody can have a reference. That the copy comes *after* the look is an order of two reads, which x86 keeps and
//! others need not: under arm64 the kernel fails (docs/findings.md, F7; `tests/findings.rs` here).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/contents",
    catalogue: "R12",
    about: "A device writes to a page and its driver drops it, just before migration finds no reference and copies the page.",
    profiles: X86,
    needs: &[
        Need::of(Step::AddUnlessZero, ONLY_X86_PV),
        Need::of(Step::PteRecheck, ONLY_X86_PV),
        Need::of(Step::MigrateCopiesLast, X86),
    ],
    ..Race::of(build)
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
    scene.always("what a device wrote is there", move |end| {
        !end.any_did(&drivers) || end.contents(area, 0) == Some(1)
    });
    scene.sometimes("a device writes, and the page moves", move |end| {
        end.did(drivers[0]) && end.did(migration)
    });
    scene.into_program()
}
