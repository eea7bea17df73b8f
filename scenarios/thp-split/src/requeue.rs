//! A huge page migrates that is queued to be split, and a part of it is unmapped as soon as it is there: CVE-2026-46017.
//!
//! Kernels later than v6.8 queue every huge page, in case it is used in part only, and mark in the queue those of which a part was
//! unmapped. Migration queues the new folio as one that is mapped as a whole. Once the mappings are back, whoever unmaps a part of it
//! may have queued and marked it by then. 3bac01168982 has it queued before.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/requeue",
    catalogue: "K9",
    about: "A huge page that is queued to be split migrates, and a part of it is unmapped before the new folio is queued.",
    needs: &[Need::of(Step::RequeueBeforeVisible, EVERYWHERE)],
    ..Race::of(build)
};

/// As many CPUs as there are callers elsewhere unmap the first page.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let pages = boot.geometry().pages_per_pmd();
    let old = boot.thp(Owner::Us, 0);
    for n in 0..pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map(area.mm, addr, old.plus(n), true);
    }
    boot.queue_for_split(old);
    let new = boot.free_huge_block();
    let mut scene = Scene::new(boot);
    scene.alike("cpu{} zap", size.cpus, move |cpu: &Cpu<'_>| {
        madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, old).map(|folio| folio.head().pfn)
    });
    scene.always("the folio is queued, where it is", move |end| {
        let page = if end.got(migration) > 0 { new } else { old };
        end.is_queued_for_split(page)
    });
    scene.sometimes("the page moves", gets(migration, new));
    scene.sometimes("it does not", gets_nothing(migration));
    scene.into_program()
}
