//! The mmap lock is dropped for a fault, and the area goes meanwhile.
//!
//! A page is swapped out. Slow GUP faults it in, and finds its folio locked: another fault of the same page was first. It drops the mmap
//! lock to wait, so `munmap`, which waits for that lock, has it next. What slow GUP knew of the area is not true any more.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fault/retry-unmap",
    catalogue: "",
    about: "Slow GUP drops the mmap lock to wait for a folio, and the area is unmapped before it has the lock again.",
    needs: &[
        Need::of(Step::AreaLookedUpAnew, EVERYWHERE),
        // Two faults fill one entry.
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.swap_space(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    boot.cached_for(slot);
    // For the pages behind it; and for whoever maps something where nothing is any more, a table and a page.
    boot.free_pages(size.pages + 1);
    let mut scene = Scene::new(boot);
    let callers = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_unlocked(cpu, area.into(), Foll::WRITE)
    });
    scene.cpu("fault", write_fault(area));
    let munmap = scene.cpu("munmap", move |cpu| munmap(cpu, area.mm, area.vma));
    scene.always("munmap finds the area", did(munmap));
    scene.always("nothing is mapped where there is no area", move |end| {
        end.mapped(area.mm, area.start).is_none()
    });
    scene.sometimes("a caller comes first", gets_all(callers[0], size.pages));
    scene.sometimes("munmap comes first", gets_nothing(callers[0]));
    scene.into_program()
}
