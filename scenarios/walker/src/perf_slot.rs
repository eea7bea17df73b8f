//! R53: perf asks where in memory a page of a huge leaf is, which is zapped meanwhile (4716023a8f6a, v5.16).
//!
//! The walk writes the page to perf's array before it has a reference, and fails. Perf took what was in the array for a page that it
//! got, and gave it back: a reference less than there were, and the page was freed while others had it.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/perf-slot",
    catalogue: "R53",
    about: "perf takes a page of a huge leaf for a moment, just when that is zapped, and gives it back.",
    needs: &[
        Need::of(Step::PutByCount, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(boot.geometry().pages_per_pmd());
    let head = boot.mapped_thp(area, true);
    let addr = area.start + (u64::from(size.pages) - 1) * PAGE_SIZE;
    let page = head.plus(size.pages - 1);
    let mut scene = Scene::new(boot);
    let perf = scene.alike("cpu{} perf", size.cpus, move |cpu: &Cpu<'_>| {
        perf_virt_to_phys(cpu, area.mm, addr) == Some(page)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let first = perf[0];
    scene.sometimes("perf finds the page", did(first));
    scene.sometimes("perf finds nothing", did_not(first));
    scene.into_program()
}
