//! R06 b: the table that khugepaged unlinked is deposited while a walker is inside, and the architecture
//! keeps its list links where the entries were.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/table-deposited",
    catalogue: "R06b",
    about: "khugepaged deposits a table whose frame then holds list links: GUP takes them for entries.",
    profiles: WEAKEST,
    needs: &[
        Need::of(Step::CollapseSyncIpi, WEAKEST),
        Need::of(Step::IrqsOffBlockIpi, WEAKEST),
        Need::of(Step::PmdRecheck, WEAKEST),
        Need::of(Step::EntrySingleLoad, WEAKEST),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.populate(area);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(size.pages), Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", collapse(area));
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
