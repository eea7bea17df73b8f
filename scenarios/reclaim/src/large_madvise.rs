//! Reclaim splits a large folio, and a tail that is on its list is zapped (`MADV_DONTNEED`).
//!
//! `__split_huge_page` drops the split's own reference of each tail; the mapping's is the last one, unless the list has one.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/large-madvise",
    about: "Reclaim splits a large folio to swap out its pages, while one of them is zapped.",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::MigrationEntryRmb, ONLY_ARM64),
        Need::of(Step::TailFlagsWmb, ONLY_ARM64),
        Need::of(Step::ListReference, PV_AND_ARM64),
    ],
    tested: &[Tested::part(1, 1, 20_000)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.pte_mapped_thp(area);
    boot.swap_space(1);
    let last = area.pages as u32 - 1;
    let tail = head.plus(last);
    let mut scene = Scene::new(boot);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[head]) > 0);
    scene.alike("madvise{}", size.cpus, dontneed(area.last(1)));
    scene.always("nothing is left of it", move |end| {
        end.entry_of(area, last).is_none()
    });
    scene.sometimes("the head is swapped out and freed", did(reclaim));
    scene.sometimes("the tail is freed by itself", move |end| {
        !end.is_large(head) && end.is_free(tail)
    });
    scene.into_program()
}
