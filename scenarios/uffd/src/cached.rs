//! The entry of a slot moves, and the page is in the swap cache (c50f8e6053b0, CVE-2025-21984).
//!
//! v6.8 moves the entry alone. The next fault, at the new address, finds the page in the cache; it is anonymous memory already, and
//! goes on being said to be at the old address. Whoever comes by way of it looks there, and debug kernels stop.
//!
//! Somebody has a reference of the page, so reclaim cannot free it, and it stays in the cache.

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/cached",
    about: "Reclaim swaps a page out; UFFDIO_MOVE takes its entry elsewhere, and the page is in the swap cache (CVE-2025-21984).",
    profiles: PV_AND_ARM64,
    // The later repair gives up where the cache has the slot, whether or not the page was looked for.
    before: &[Step::MoveCacheMissed],
    needs: &[Need::of(Step::MoveCachedFolio, PV_AND_ARM64)],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let areas = two(&mut boot, size.pages);
    let page = boot.populate(areas.0)[0];
    boot.take_reference(page);
    boot.swap_space(1);
    let mut scene = Scene::new(boot);
    scene.held(page, 1);
    scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    let uffd = movers(&mut scene, size.cpus, areas)[0];
    all_found(&mut scene, areas);
    scene.sometimes("the page moves", did(uffd));
    scene.sometimes("its slot moves", move |end| {
        end.entry_of(areas.1, 0).swap_slot().is_some()
    });
    scene.into_program()
}
