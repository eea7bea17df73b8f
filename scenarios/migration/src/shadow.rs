//! R57 of migration: KVM maps a page for its guest while the page moves to another frame.
//!
//! The rmap walk that unmaps the page tells KVM before it begins, and once it is over, in each area (`try_to_migrate_one`; so does
//! `try_to_unmap_one`). KVM holds no reference of what it maps: were it not told, the guest would go on with the old frame.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/shadow",
    catalogue: "R57",
    about: "A page moves to another frame while KVM, which found it, maps it for its guest.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::NotifierInvalidate, EVERYWHERE),
        Need::of(Step::NotifierRetry, EVERYWHERE),
        Need::of(Step::NotifierInProgress, EVERYWHERE),
        Need::of(Step::NotifierSequence, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    boot.secondary_mmu(area.mm);
    let mut scene = Scene::new(boot);
    let vcpus = scene.alike("vcpu{}", size.cpus, guest_access(area));
    let migration = scene.cpu("migration", move |cpu| {
        migrate_pages(cpu, &[page], MigrateMode::Async) > 0
    });
    scene.always("what the guest has is not free (I1)", move |end| {
        end.guests_page(area.mm).is_none_or(|pfn| !end.is_free(pfn))
    });
    scene.sometimes("KVM maps the page, and it moves", move |end| {
        end.did(vcpus[0]) && end.did(migration)
    });
    scene.sometimes("KVM has to fault again", move |end| {
        end.is(vcpus[0], "ret", "-EAGAIN")
    });
    scene.into_program()
}
