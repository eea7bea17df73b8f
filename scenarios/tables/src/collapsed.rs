//! R22 b: khugepaged looks whether there is a table, and `MADV_DONTNEED`, which holds the lock of the area alone, frees it (366a4532d96f).
//!
//! The kernel is one of v6.17: `MADV_DONTNEED` takes no mmap lock there if it can have the area's own. khugepaged holds the mmap lock
//! for writing, which excludes nobody who has an area's lock; it locks the area as well, and has to do so *before* it looks at the pmd.
//! Until 366a4532d96f it did so right after. Then it cleared a pmd that was none, found no table in what it had cleared, and put back what
//! it took for one: the frame with the number 0.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "tables/collapsed",
    catalogue: "R22",
    about: "khugepaged collapses a table that MADV_DONTNEED, under the lock of the area alone, empties and frees (v6.17).",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::CollapseVmaLock, NO_IPI),
        Need::of(Step::IrqsOffBlockIpi, NO_IPI),
        Need::of(Step::IrqsOffHoldRcu, NO_IPI),
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PmdRecheck, NO_IPI),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::CollapseSyncIpi, NO_IPI),
        Need::of(Step::RcuTableFree, NO_IPI),
        Need::of(Step::EntrySingleLoad, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let mut area = boot.anon_area(boot.geometry().pages_per_pmd());
    boot.per_vma_lock(area);
    let page = boot.populate(area)[0];
    let table = boot.table_of(area);
    boot.free_block(boot.geometry().pages_per_pmd().trailing_zeros() as u8);
    area.pages = size.pages as i32;
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed_vma(cpu, area.mm, area.start, area.end);
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        collapse_huge_page(cpu, area.mm, area.start)
    });
    let caller = gup[0];
    scene.sometimes("the table goes before khugepaged comes", move |end| {
        end.is(khugepaged, "scan", "pmd_none") && end.is_free(table)
    });
    scene.sometimes("khugepaged comes first", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.sometimes("a caller gets the page that was there", gets(caller, page));
    scene.into_program()
}
