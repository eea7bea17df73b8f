//! A huge page migrates as a whole while it is zapped.
//!
//! Who zaps takes the pmd away, or the migration entry that stands for it; and the table that was deposited with it. Who migrates finds
//! a pmd, or nothing. He isolates what is in the frame, and takes no reference of what is free by then: giving it back would free
//! it a second time. No migration entry is left behind (I11), and no count.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/zap-huge-migration",
    catalogue: "R12",
    about: "A huge page is zapped while it migrates: what is zapped is a pmd migration entry.",
    needs: &[Need::of(Step::IsolateUnlessZero, EVERYWHERE)],
    ..Race::of(build)
};

/// As many zappers as there are callers elsewhere.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let old = boot.mapped_thp(area, true);
    let new = boot.free_huge_block();
    let mut scene = Scene::new(boot);
    scene.alike("cpu{} zap", size.cpus, move |cpu: &Cpu<'_>| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, old).map(|folio| folio.head().pfn)
    });
    scene.always("nothing is mapped in the end", move |end| {
        end.is_free(new) && end.is_free(old)
    });
    scene.sometimes("the page moves before", gets(migration, new));
    scene.sometimes("it does not", gets_nothing(migration));
    scene.into_program()
}
