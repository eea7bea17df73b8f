//! A huge page is to move as a whole while it migrates.
//!
//! The move waits until the migration is over. v6.8 waits for a copy of the entry, which nobody changes: by then the migration may be
//! over, and the folio that the entry names is not locked (`docs/findings.md`, F11).

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, two_huge};

pub(crate) const RACE: Race = Race {
    name: "uffd/migrating-whole",
    about: "UFFDIO_MOVE of a huge page finds a migration entry, and waits until it is none.",
    profiles: PV_AND_ARM64,
    needs: &[Need::of(Step::MoveWaitsOnPmd, PV_AND_ARM64)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (areas, head) = two_huge(&mut boot);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, head).is_some()
    });
    let uffd = movers(&mut scene, size.cpus, areas)[0];
    all_found(&mut scene, areas);
    scene.sometimes("it migrates", did(migration));
    scene.sometimes("the huge page moves", did(uffd));
    scene.into_program()
}
