//! R23: a page fault links a new table before its zeroes are visible.
//!
//! The frame of the new table was a table before, and still holds an entry for somebody else's page. A walker
//! that sees the link must not see that entry.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fault/table-publish",
    catalogue: "R23",
    about: "A page fault links a new page table; GUP sees the link, but the table's contents of an earlier life.",
    needs: &[Need::of(Step::TablePublishBarrier, RELAXED)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let foreign = boot.anon_page(Owner::Other, 1);
    let mut scene = scene(size, boot, area, foreign);
    scene.held(foreign, 1);
    scene.into_program()
}

/// A fault links a table in a frame that held entries of `stale` before, while callers walk.
pub(crate) fn scene(size: Size, mut boot: Boot, area: Area, stale: Pfn) -> Scene {
    boot.free_pages(size.pages);
    boot.free_frame_holding(Entry::leaf(stale, true));
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE) == VmFault::Done
    });
    scene.sometimes("a caller gets the new page", move |end| end.got(gup[0]) > 0);
    scene.sometimes("a caller finds nothing", gets_nothing(gup[0]));
    scene
}
