//! R25 for huge pages: two CPUs find the same pmd empty, and each has a page for it.
//!
//! There is memory for one huge page; whoever does not get it goes on with a small page, and links a table. Whoever comes second must
//! see that it does, under the pmd lock, or under the lock of the table that was linked meanwhile.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/two-faults",
    catalogue: "R25",
    about: "Two page faults fill the same empty pmd with huge pages: the one that comes second must see that it does.",
    needs: &[Need::of(Step::RereadUnderLock, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.wants_huge_pages(area);
    // One huge page is not enough for two: who comes later gets small ones, and needs a table for them.
    let huge = boot.free_huge_block();
    boot.free_pages((size.cpus + 1) * (size.pages + 1));
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let fault = scene.cpu("fault", write_fault(area));
    let (caller, wanted) = (gup[0], size.pages as usize);
    scene.always(
        "a caller gets every page, and the fault is handled",
        move |end| gup.iter().all(|&lane| end.got(lane) == wanted) && end.did(fault),
    );
    scene.sometimes("the huge page is mapped", gets(caller, huge));
    scene.sometimes("small pages are", move |end| !end.got_page(caller, huge));
    scene.into_program()
}
