//! R02: khugepaged unlinks a table, and its entries stay as they were; a walker inside cannot tell by them.
//!
//! The kernel of this race is v6.0's, before khugepaged learnt to interrupt every CPU: since then the walker is
//! out of the table before references are counted, and the recheck of the pmd is a second line of defence.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/detached-table",
    catalogue: "R02",
    about: "GUP takes a page through an entry of a table that khugepaged has unlinked: the entry is unchanged, the page is not mapped any more.",
    profiles: X86_AND_ARM64,
    before: &[Step::CollapseSyncIpi],
    needs: &[
        Need::of(Step::AddUnlessZero, PV_AND_ARM64),
        Need::of(Step::PinBarrier, ONLY_ARM64),
        Need::of(Step::PmdRecheck, X86_AND_ARM64),
        Need::of(Step::FlushBarrier, ONLY_ARM64),
        Need::of(Step::TlbFlush, ONLY_ARM64),
        Need::of(Step::CollapseClearFirst, X86_AND_ARM64),
        Need::of(Step::EntrySingleLoad, X86_AND_ARM64),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let mut area = boot.pmd_area();
    area.pages = size.pages as i32;
    let pages = boot.populate(area);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", collapse(area));
    let (caller, first) = (gup[0], pages[0]);
    scene.acts_on_nobodys(
        ("pages that were collapsed away were got", &pages),
        &gup,
        did(khugepaged),
    );
    scene.sometimes(
        "a caller gets a page, and khugepaged gives up",
        move |end| end.got_page(caller, first) && end.is(khugepaged, "scan", "page_count"),
    );
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
