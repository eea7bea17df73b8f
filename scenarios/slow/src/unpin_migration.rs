//! R12, of a page that is pinned: a device writes to it, and its driver gives the pin back while the page is to move.
//!
//! As long as the pin is there the page is not unmapped; once it is gone, what was written moves with the page. The page is dirty
//! already: were it not, the driver would mark it under the folio's lock, which migration has, and wait with its pin in hand. (Under
//! arm64 the copy may be older than the look at the count: F7.)

use crate::pinned::pinned_before;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/unpin-migration",
    catalogue: "R12",
    about: "A device writes to a pinned page and its driver unpins it, while migration has the folio locked and looks at its count.",
    profiles: X86,
    needs: &[Need::of(Step::MigrateCopiesLast, X86)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    pinned_before(&mut boot, area, page, size.cpus);
    let flags = boot.page(page).flags;
    let dirty = boot.layout().get(flags) | PageFlags::DIRTY;
    boot.layout().set(flags, dirty);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        let page = cpu.machine().page(page);
        write_once(cpu, page.contents, 1);
        unpin_user_pages_dirty_lock(cpu, &[page], true);
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &[page], MigrateMode::Async) > 0
    });
    scene.always("what a device wrote is there", move |end| {
        end.contents(area, 0) == Some(1)
    });
    scene.sometimes("the page moves", did(migration));
    scene.sometimes("a pin keeps it where it is", did_not(migration));
    scene.into_program()
}
