//! R06 a: the table that khugepaged unlinked is freed while a walker is inside.
//!
//! It is deposited for the huge page, and goes with it: here the huge page is unmapped at once, and its table
//! with it, without any further wait. Where khugepaged's flush is an IPI by itself, as every flush of `x86-native` is, and this
//! one of `powerpc` (`serialize_against_pte_lookup`), the second IPI is one too many (R20).

use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &POWERPC];
const BUT_NATIVE: &[&Profile] = &[&X86_PV, &ARM64, &WEAK, &POWERPC];

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/table-freed",
    catalogue: "R06a",
    about: "khugepaged unlinks a table, and the huge page that takes its place is unmapped with it: GUP walks a freed table.",
    profiles: PROFILES,
    needs: &[
        Need::of(Step::IrqsOffBlockIpi, PROFILES),
        Need::of(Step::AddUnlessZero, BUT_NATIVE),
        Need::of(Step::CollapseSyncIpi, NO_IPI),
        Need::of(Step::PteRecheck, PROFILES),
        Need::of(Step::PmdRecheck, PROFILES),
        Need::of(Step::EntrySingleLoad, PROFILES),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.populate(area);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(size.pages), Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        scan
    });
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
