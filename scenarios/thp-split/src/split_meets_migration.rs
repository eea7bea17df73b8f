//! CVE-2025-37958: a folio is split, and where it was mapped there is a pmd migration entry by now, of another one.
//!
//! The split goes from the folio to the address, and looks at the pmd there, under its lock: is it this folio that it maps? v6.6 and
//! v6.8 look at the head of the pmd's page, which a migration entry does not have where a present pmd has it. be6e843fc51a leaves such
//! an entry alone: its folio is locked by whoever migrates it, and so it is not the one that is split.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/meets-migration",
    catalogue: "R25",
    about: "A huge page is zapped, and the next one in its place migrates, while the first is split: the split takes the migration entry for a pmd.",
    needs: &[
        Need::of(Step::EntryReadOnce, RELAXED),
        // The split's own migration entries are zapped: R59.
        Need::of(Step::MigrationEntryRmb, RELAXED),
        Need::of(Step::TailFlagsWmb, RELAXED),
        Need::of(Step::CheckPte, EVERYWHERE),
        Need::of(Step::SplitChecksFolio, EVERYWHERE),
        Need::of(Step::SplitSkipsMigration, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// As many splitters as there are callers elsewhere.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.wants_huge_pages(area);
    let first = boot.mapped_thp(area, true);
    for _ in 0..size.cpus {
        boot.take_reference(first);
    }
    let third = boot.free_huge_block();
    let second = boot.free_huge_block();
    // A table for the second.
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let splitters = scene.alike("cpu{} split", size.cpus, move |cpu: &Cpu<'_>| {
        let split = split_huge_page(cpu, first);
        folio_put(cpu, Folio::of(cpu.machine().page(first)));
        split
    });
    // The last of it is compaction for an allocation of its own.
    let user = scene.cpu("user", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
        migrate_huge_page(cpu, second).map(|folio| folio.head().pfn)
    });
    scene.sometimes("the second page moves", gets(user, third));
    scene.sometimes("the first page is split", did(splitters[0]));
    scene.into_program()
}
