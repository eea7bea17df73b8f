//! A part of a huge page is to move while the page migrates.
//!
//! What is no whole pmd is split first, if the page is exclusive. The page is found by the pmd's frame; but a migration entry has its frame
//! elsewhere, and v6.8 looks at a struct page that is none (aba6faec0103, CVE-2025-38686).

use gupcheck_races::prelude::*;

use crate::areas::{LOCKED, all_found, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/migrating",
    catalogue: "-",
    about: "UFFDIO_MOVE of a part of a huge page finds a migration entry (CVE-2025-38686).",
    profiles: LOCKED,
    before: &[],
    needs: &[Need::of(Step::MoveAsksPresent, LOCKED)],
    indifferent: &[],
    tested: &[Tested::whole(1, 1, 200_000)],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let (src, dst) = two(&mut boot, pages, false);
    let head = boot.mapped_thp(src, true);
    boot.table_of(dst);
    boot.free_huge_block();
    let part = Area {
        end: src.start + PAGE_SIZE,
        ..src
    };
    let mut scene = Scene::new(boot);
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, head).is_some()
    });
    let movers = scene.alike("uffd{}", size.cpus, move |cpu: &Cpu<'_>| {
        move_pages(cpu, dst, part).is_ok()
    });
    let mover = movers[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("it migrates", move |end| end.is(migration, "did", "yes"));
    scene.sometimes("a page moves", move |end| end.is(mover, "did", "yes"));
    scene.into_program()
}
