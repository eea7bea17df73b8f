//! The entry of a slot moves, and the page is in the swap cache.
//!
//! v6.8 moves the entry alone. The next fault, at the new address, finds the page in the cache; it is anonymous memory already, and
//! goes on being said to be at the old address. Whoever comes by way of it looks there, and debug kernels stop (c50f8e6053b0,
//! CVE-2025-21984). That repair asks the cache before the locks of the tables are held: whoever brings the page into the cache after that, and
//! swaps it out again, is missed (0ea148a79919, CVE-2025-38242, K11).
//!
//! Somebody has a reference of the page, so it stays in the cache.

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, two};

/// There is more to see than anybody waits for every day.
pub(crate) const PART: &[Tested] = &[Tested::part(1, 1, 30_000)];

/// Reclaim has unmapped the page.
pub(crate) const BY_RECLAIM: Race = Race {
    name: "uffd/cached",
    about: "Reclaim swaps a page out; UFFDIO_MOVE takes its entry elsewhere, and the page is in the swap cache (CVE-2025-21984).",
    profiles: PV_AND_ARM64,
    // The later repair gives up where the cache has the slot, whether or not the page was looked for.
    before: &[Step::MoveCacheMissed],
    needs: &[Need::of(Step::MoveCachedFolio, PV_AND_ARM64)],
    tested: SMALL_FOR_ONE,
    ..Race::of(by_reclaim)
};

/// It is on disk alone; a fault brings it back, and reclaim unmaps it again.
pub(crate) const AGAIN: Race = Race {
    name: "uffd/cached-again",
    catalogue: "K11",
    about: "A page comes back and is swapped out again between UFFDIO_MOVE's look into the swap cache and its locks (CVE-2025-38242).",
    before: &[],
    needs: &[Need::of(Step::MoveCacheMissed, PV_AND_ARM64)],
    // `tests/whole.rs` sees the whole under x86.
    tested: PART,
    build: again,
    ..BY_RECLAIM
};

fn by_reclaim(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages);
    let page = boot.populate(src)[0];
    boot.take_reference(page);
    boot.swap_space(1);
    let mut scene = Scene::new(boot);
    scene.held(page, 1);
    scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    moved(scene, size, (src, dst))
}

fn again(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages);
    boot.map_swap(src.mm, src.start, true);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let back = scene.cpu("fault, kswapd", move |cpu| swapped_out_again(cpu, src));
    scene.owns_what_it_returns(back);
    moved(scene, size, (src, dst))
}

/// Brings a page back, takes a reference of it, and has it swapped out: the page.
pub(crate) fn swapped_out_again(cpu: &Cpu<'_>, area: Area) -> Option<Pfn> {
    write_fault(area)(cpu);
    let ptep = find_locked_pte(cpu, cpu.machine().mm(area.mm), area.start)?;
    let page = Some(ptep.get(cpu))
        .filter(|pte| pte.pte_present())
        .map(Entry::pfn);
    if let Some(pfn) = page {
        folio_get(cpu, Folio::of(cpu.machine().page(pfn)));
    }
    pte_unmap_unlock(cpu, ptep);
    reclaim_pages(cpu, &[page?]);
    page
}

fn moved(mut scene: Scene, size: Size, (src, dst): (Area, Area)) -> Program {
    let uffd = movers(&mut scene, size.cpus, (src, dst))[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves", did(uffd));
    scene.sometimes("its slot moves", move |end| {
        end.entry_of(dst, 0).swap_slot().is_some()
    });
    scene.into_program()
}
