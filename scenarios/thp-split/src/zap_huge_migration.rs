//! A huge page migrates as a whole while a part of it is zapped.
//!
//! Who zaps a part splits the pmd first, or the pmd migration entry that it finds, into migration entries; and clears its own. Who
//! migrates finds what is left: a pmd, or some PTEs, or nothing. No migration entry is left behind (I11).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/zap-huge-migration",
    catalogue: "R12",
    about: "A part of a huge page is zapped while the page migrates: a pmd migration entry is split.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[],
    indifferent: &[],
    tested: SMALL,
    build,
};

/// As many zappers as there are callers elsewhere; the last pages.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(boot.geometry().pages_per_pmd());
    let old = boot.mapped_thp(area, true);
    let new = boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let start = area.end - u64::from(size.pages) * PAGE_SIZE;
    scene.alike("cpu{} zap", size.cpus, move |cpu: &Cpu<'_>| {
        madvise_dontneed(cpu, area.mm, start, area.end);
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, old).map(|folio| folio.head().pfn)
    });
    scene.sometimes("the page moves", move |end| end.got_page(migration, new));
    scene.sometimes("it does not", move |end| end.got(migration) == 0);
    scene.into_program()
}
