//! A page is zapped and another one faulted in its place, while the first one is unmapped to be moved.
//!
//! The walk through the mappings of the page that moves comes to an entry that maps another. No lock keeps the two apart: the
//! anon_vma is only locked by the walk.

use gupcheck_core::sync::Name;
use gupcheck_races::prelude::*;

use crate::pair::TESTED;

pub(crate) const RACE: Race = Race {
    name: "pairs/refault-migration",
    catalogue: "-",
    about: "A page is unmapped to be moved while it is zapped and another one faulted in: the walk comes to an entry that is not its page's.",
    needs: &[
        Need::of(Step::CheckPte, EVERYWHERE),
        Need::of(Step::IsolateUnlessZero, EVERYWHERE),
    ],
    tested: TESTED,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_pages(size.cpus + 1);
    let mut scene = Scene::new(boot);
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, page).is_some());
    for n in 0..size.cpus {
        scene.cpu(Name::new("cpu{} refault", [n]), move |cpu| {
            madvise_dontneed(cpu, area.mm, area.start, area.end);
            do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
        });
    }
    scene.sometimes("the page moves", did(migration));
    scene.sometimes("the page is freed and does not move", move |end| {
        end.is_free(page) && !end.did(migration)
    });
    scene.into_program()
}
