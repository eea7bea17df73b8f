//! R45: a huge page moves to another node behind a NUMA hint, and has no migration entry (2b4847e73004, v3.13).
//!
//! The contents are copied before anybody is asked whether he has a reference; the hint alone keeps away who could write. A walker
//! that takes a hint for an ordinary entry may write and be gone before the count is looked at: what it wrote is lost. So the fast
//! walk refuses hints, to this day, though such migrations have migration entries by now.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "protect/hint-copy",
    catalogue: "R45",
    about: "A driver writes through an entry with a NUMA hint, while the huge page is copied to another node (v3.13).",
    needs: &[
        Need::of(Step::ProtNoneRefused, EVERYWHERE),
        // On arm64 the flush is a barrier, too.
        Need::of(Step::FolioPublishBarrier, WEAKEST),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    let old = boot.mapped_thp(area, true);
    // pmd_mknuma: writable still, but for hardware.
    let mapped = Entry::leaf(old, true).huge();
    let hint = mapped.without(Bits::PRESENT).with(Bits::PROT_NONE);
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    boot.layout().set(pmd, hint);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let drivers = scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        let gup =
            get_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE);
        write_and_put_pages(cpu, &gup.pages, 1);
        !gup.pages.is_empty()
    });
    let numa = scene.cpu("numa fault", move |cpu| {
        migrate_misplaced_huge_page(cpu, area.mm, area.start)
    });
    scene.always("what a driver wrote is there", move |end| {
        !end.any_did(&drivers) || end.contents(area, 0) == Some(1)
    });
    scene.always("the page moves", move |end| {
        end.did(numa) && end.mapped(area.mm, area.start) != Some(old)
    });
    scene.sometimes("a driver writes", did(drivers[0]));
    scene.sometimes("a driver gets nothing", did_not(drivers[0]));
    scene.into_program()
}
