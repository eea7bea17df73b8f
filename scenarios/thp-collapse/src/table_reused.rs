//! R06 c: the table that khugepaged unlinked serves for another address while a walker is inside.
//!
//! Another huge page of the mm is split, and takes the deposited table: the walker finds the entries of that
//! page in it. The kernel is v6.0's: since v6.1 the walker is out before the table is deposited.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/table-reused",
    catalogue: "R06c",
    about: "khugepaged deposits a table, another huge page takes it when it is split, and GUP finds that page's entries in it.",
    profiles: X86_AND_ARM64,
    before: &[Step::CollapseSyncIpi],
    needs: &[
        Need::of(Step::AddUnlessZero, PV_AND_ARM64),
        Need::of(Step::PmdRecheck, X86_AND_ARM64),
        Need::of(Step::EntrySingleLoad, X86_AND_ARM64),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    boot.populate(area);
    boot.free_huge_block();
    // Another area of the same mm, with a huge page and the table deposited for it. The newest comes out first.
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    boot.mmap(area.mm, elsewhere, per_pmd, VmFlags::PRIVATE, Backing::Anon);
    let huge = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, elsewhere, huge, true);
    boot.deposit(area.mm, elsewhere, Entry::NONE);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(size.pages), Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        // Unmapping one page of the other huge page splits its pmd.
        if scan == Scan::Succeed {
            madvise_dontneed(cpu, area.mm, elsewhere, elsewhere + PAGE_SIZE);
        }
        scan
    });
    scene.always(
        "a caller never gets a page of another address (I12)",
        move |end| {
            gup.iter().all(|&lane| {
                end.pages(lane)
                    .all(|page| page.pfn < huge || page.pfn >= huge.plus(per_pmd))
            })
        },
    );
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
