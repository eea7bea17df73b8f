//! R43: a page that is pinned for writing is write-protected, so that writes are noticed, and user space writes to it.
//!
//! The device and user space must go on with the same page (I4). From v5.19 on the page is exclusive, and the fault reuses it.
//! v5.11 to v5.18 reused by the count, and left entries alone whose page looked pinned: without `reuse-exclusive` that look
//! is there still, and the pin slips in behind it.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "protect/soft-dirty",
    catalogue: "R43",
    about: "A page is pinned for writing while clear_refs write-protects it; then user space writes, and must not get a copy.",
    needs: &[
        Need::of(Step::ReuseExclusive, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder, Step::SoftDirtySkipsPins],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    scene.cpu("clear_refs", move |cpu| {
        clear_refs(cpu, area);
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
    });
    scene.always(
        "what a caller pinned is what user space has (I4)",
        move |end| {
            let has = end.entry_of(area, 0).pfn();
            gup.iter()
                .all(|&lane| end.got(lane) == 0 || end.got_page(lane, has))
        },
    );
    scene.sometimes("a caller pins the page", gets(gup[0], page));
    scene.sometimes("a caller finds it write-protected", gets_nothing(gup[0]));
    scene.into_program()
}
