//! A part of a huge page is to move while the page migrates.
//!
//! What is no whole pmd is split first, if the page is exclusive. The page is found by the pmd's frame; but a migration entry has its frame
//! elsewhere, and v6.8 looks at a struct page that is none (aba6faec0103, CVE-2025-38686).

use gupcheck_races::prelude::*;

use crate::areas::{PART, all_found, movers, two_huge};

pub(crate) const RACE: Race = Race {
    name: "uffd/migrating",
    about: "UFFDIO_MOVE of a part of a huge page finds a migration entry (CVE-2025-38686).",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::EntryReadOnce, ONLY_ARM64),
        Need::of(Step::TablePublishBarrier, ONLY_ARM64),
        Need::of(Step::IsolateUnlessZero, ONLY_X86_PV),
        Need::of(Step::MoveAsksPresent, PV_AND_ARM64),
    ],
    tested: PART,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let ((src, dst), head) = two_huge(&mut boot);
    boot.table_of(dst);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, head).is_some()
    });
    let uffd = movers(&mut scene, size.cpus, (src.first(1), dst))[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("it migrates", did(migration));
    scene.sometimes("a page moves", did(uffd));
    scene.into_program()
}
