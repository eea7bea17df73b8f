//! R08, of a page that is pinned: it was given up, a device writes to it, and its driver unpins it while reclaim looks at it.
//!
//! Reclaim discards what nobody has and nobody wrote to. So the mark comes first, and then the pin goes.
//! (`set_page_dirty_lock` against truncation is about files' pages, which nobody here has.)

use crate::pinned::pinned_before;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/unpin-dirty",
    catalogue: "R08",
    about: "A device's page is marked dirty and unpinned while reclaim asks whether anybody has it, and whether it is dirty.",
    needs: &[
        Need::of(Step::DirtyBeforeUnpin, EVERYWHERE),
        Need::of(Step::LazyfreeRefs, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.madvise_free(area.mm, area.start, page);
    pinned_before(&mut boot, area, page, size.cpus);
    let mut scene = Scene::new(boot);
    scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        unpin_user_pages_dirty_lock(cpu, &[cpu.machine().page(page)], true);
    });
    scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    scene.always("what a device wrote is still there (I5)", move |end| {
        end.is_there(area, 0, page)
    });
    let given_up = move |end: &Ending<'_>| {
        let flags = end.end.value(end.machine.page(page).flags);
        flags.contains(PageFlags::LAZYFREE)
    };
    scene.sometimes("reclaim finds it pinned", given_up);
    scene.sometimes("reclaim finds it dirty", move |end| !given_up(end));
    scene.into_program()
}
