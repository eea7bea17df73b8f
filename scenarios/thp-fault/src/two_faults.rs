//! R25 for huge pages: two CPUs find the same pmd empty, and each has a page for it.
//!
//! There is memory for one huge page; whoever does not get it goes on with a small page, and links a table. Whoever comes second must
//! see that it does, under the pmd lock, or under the lock of the table that was linked meanwhile.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/two-faults",
    catalogue: "R25",
    about: "Two page faults fill the same empty pmd with huge pages: the one that comes second must see that it does.",
    profiles: EVERYWHERE,
    before: &[],
    needs: &[Need::of(Step::RereadUnderLock, EVERYWHERE)],
    indifferent: &[],
    tested: SMALL,
    build,
};

const EVERYWHERE: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(pages);
    boot.wants_huge_pages(area);
    // One huge page is not enough for two: who comes later gets small ones, and needs a table for them.
    let huge = boot.free_block(pages.trailing_zeros() as u8);
    for _ in 0..(size.cpus + 1) * (size.pages + 1) {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let fault = scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
    });
    let (caller, wanted) = (gup[0], size.pages as usize);
    scene.always(
        "a caller gets every page, and the fault is handled",
        move |end| {
            gup.iter().all(|&lane| end.got(lane) == wanted) && end.is(fault, "fault", "done")
        },
    );
    scene.sometimes("the huge page is mapped", move |end| {
        end.got_page(caller, huge)
    });
    scene.sometimes("small pages are", move |end| !end.got_page(caller, huge));
    scene.into_program()
}
