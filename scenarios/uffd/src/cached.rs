//! The entry of a slot moves, and the page is in the swap cache.
//!
//! v6.8 moves the entry alone. The next fault, at the new address, finds the page in the cache; it is anonymous memory already, and
//! goes on being said to be at the old address. Whoever comes by way of it looks there, and debug kernels stop (c50f8e6053b0,
//! CVE-2025-21984). That repair asks the cache before the locks of the tables are held: whoever brings the page into the cache after that, and
//! swaps it out again, is missed (0ea148a79919, CVE-2025-38242, K11).

use gupcheck_races::prelude::*;

use crate::areas::{LOCKED, all_found, two};

/// Reclaim has unmapped the page, and not freed it yet.
pub(crate) const BY_RECLAIM: Race = Race {
    name: "uffd/cached",
    catalogue: "-",
    about: "Reclaim swaps a page out; UFFDIO_MOVE takes its entry elsewhere, where a fault finds the page in the cache (CVE-2025-21984).",
    profiles: LOCKED,
    // The later repair gives up where the cache has the slot, whether or not the page was looked for.
    before: &[Step::MoveCacheMissed],
    needs: &[Need::of(Step::MoveCachedFolio, LOCKED)],
    indifferent: &[],
    tested: &[Tested::whole(1, 1, 200_000)],
    build: |size, kernel| {
        let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
        let (src, dst) = two(&mut boot, size.pages, true);
        let page = boot.populate(src)[0];
        boot.swap_space(1);
        boot.free_block(0);
        build(boot, size, (src, dst), move |cpu| {
            reclaim_pages(cpu, &[page]);
        })
    },
};

/// It is on disk alone; a fault brings it back, and reclaim unmaps it again.
pub(crate) const AGAIN: Race = Race {
    name: "uffd/cached-again",
    catalogue: "K11",
    about: "A page comes back and is swapped out again between UFFDIO_MOVE's look into the swap cache and the locks of the tables (CVE-2025-38242).",
    before: &[],
    needs: &[Need::of(Step::MoveCacheMissed, LOCKED)],
    build: |size, kernel| {
        let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
        let (src, dst) = two(&mut boot, size.pages, true);
        boot.map_swap(src.mm, src.start, true);
        boot.free_block(1);
        build(boot, size, (src, dst), move |cpu| {
            do_user_addr_fault(cpu, src.mm, src.start, FaultFlags::empty());
            let mm = cpu.machine().mm(src.mm);
            let Some(pte) = find_entry(cpu, mm, src.start, Level::Pte) else {
                return;
            };
            let pte = pte.get(cpu);
            if pte.pte_present() {
                reclaim_pages(cpu, &[pte.pfn()]);
            }
        })
    },
    ..BY_RECLAIM
};

/// One swaps the page out, and the others move it, and touch it at its new address.
fn build(
    boot: Boot,
    size: Size,
    (src, dst): (Area, Area),
    swaps_out: impl Fn(&Cpu<'_>) + Send + Sync + 'static,
) -> Program {
    let mut scene = Scene::new(boot);
    scene.cpu("kswapd", swaps_out);
    let movers = scene.alike("uffd{}", size.cpus, move |cpu: &Cpu<'_>| {
        let moved = move_pages(cpu, dst, src).is_ok();
        if moved {
            do_user_addr_fault(cpu, dst.mm, dst.start, FaultFlags::empty());
        }
        moved
    });
    let mover = movers[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves", move |end| end.is(mover, "did", "yes"));
    scene.sometimes("it does not", move |end| end.is(mover, "did", "no"));
    scene.into_program()
}
