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
    let kswapd = scene.cpu("kswapd", move |cpu| {
        reclaim_pages(cpu, &[page]);
        is_slot(cpu, areas.0)
    });
    let uffd = movers(&mut scene, size.cpus, areas)[0];
    all_found(&mut scene, areas);
    scene.sometimes("the page moves", did(uffd));
    // An entry that does not say that its page was exclusive stays (-EBUSY).
    let moves = kernel.does(Step::SwapExclusive);
    scene.sometimes("its slot moves", move |end| {
        let moved = end.entry_of(areas.1, 0).swap_slot().is_some();
        end.did(kswapd) && if moves { moved } else { !end.did(uffd) }
    });
    scene.into_program()
}

/// Whether the area's first entry names a slot now. One that does at the end may have been swapped out where it moved to.
fn is_slot(cpu: &Cpu<'_>, area: Area) -> bool {
    let mm = cpu.machine().mm(area.mm);
    let ptep = find_entry(cpu, mm, area.start, Level::Pte);
    ptep.is_some_and(|ptep| ptep.read_once(cpu).swap_slot().is_some())
}
