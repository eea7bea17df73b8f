//! The entry of a slot moves, and the page came into the swap cache after the look there (0ea148a79919, CVE-2025-38242, K11).
//!
//! The repair of `uffd/cached` asks the cache before the locks of the tables are held, and finds nothing: the page is on disk
//! alone. A fault brings it back, and reclaim swaps it out again, to the same slot: the entry is what it was, and the page is in
//! the cache. So under the lock of the table the slot is asked whether the cache has it.

use gupcheck_races::prelude::*;

use crate::areas::{PART, all_found, movers, swapped_out_again, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/cached-again",
    catalogue: "K11",
    about: "A page comes back and is swapped out again between UFFDIO_MOVE's look into the swap cache and its locks (CVE-2025-38242).",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::MoveCacheMissed, PV_AND_ARM64),
        Need::of(Step::RereadUnderLock, PV_AND_ARM64),
    ],
    tested: PART,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages);
    boot.map_swap(src.mm, src.start, true);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let back = scene.cpu("fault, kswapd", move |cpu| swapped_out_again(cpu, src));
    scene.owns_what_it_returns(back);
    let uffd = movers(&mut scene, size.cpus, (src, dst))[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves", did(uffd));
    scene.sometimes(
        "the slot moves that it was swapped out to again",
        move |end| {
            let moved = end.entry_of(src, 0).is_none();
            end.got(back) == 1 && moved && end.entry_of(dst, 0).swap_slot().is_some()
        },
    );
    scene.into_program()
}
