//! A huge page migrates as a whole while its pmd is split, as it is before a part of the area is changed.
//!
//! What is split is a pmd, or a pmd migration entry, which becomes one for each page. Who migrates has made one entry, and finds many;
//! it maps the new folio by each of them.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/split-migration-entry",
    catalogue: "R12",
    about: "A pmd migration entry is split while the huge page that it stands for migrates.",
    // Who migrates goes into the table that the split has linked: R23.
    needs: &[
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
    ],
    ..Race::of(build)
};

/// As many CPUs as there are callers elsewhere split it.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    let old = boot.mapped_thp(area, true);
    let new = boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let splitters = scene.alike("cpu{} split", size.cpus, move |cpu: &Cpu<'_>| {
        let mm = cpu.machine().mm(area.mm);
        mm.read_lock(cpu);
        let pmdp = find_entry(cpu, mm, area.start, Level::Pmd).expect("boot made the tables");
        let found = pmdp.get(cpu).is_migration();
        split_huge_pmd(cpu, mm, (pmdp, area.start), false, None);
        mm.read_unlock(cpu);
        found
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, old).map(|folio| folio.head().pfn)
    });
    scene.always("every page is mapped where it is, exclusive", move |end| {
        let head = if end.got(migration) > 0 { new } else { old };
        (0..pages).all(|n| {
            let addr = area.start + u64::from(n) * PAGE_SIZE;
            let page = head.plus(n);
            end.mapped(area.mm, addr) == Some(page) && end.is_exclusive(end.machine.page(page))
        })
    });
    scene.sometimes(
        "a migration entry is split, and the page moves",
        move |end| end.did(splitters[0]) && end.got_page(migration, new),
    );
    scene.sometimes("a pmd is split", did_not(splitters[0]));
    scene.into_program()
}
