//! The entry of a slot moves with the folio that the swap cache had for it, whose slot is another page's by now (K11, CVE-2025-38242).
//!
//! The folio is found with no lock. Until it is locked the page is zapped, another one is there, and is swapped out to the same slot.
//! The entry is what it was. So the folio is asked, with its lock held, whether it is still cached, and for this slot (0ea148a79919).

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, swapped_out_again, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/slot-reused",
    catalogue: "K11",
    about: "A slot serves for another page between UFFDIO_MOVE's look into the swap cache and the folio's lock (CVE-2025-38242).",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::AddUnlessZero, ONLY_X86_PV),
        Need::of(Step::MoveCacheMissed, ONLY_X86_PV),
        Need::of(Step::MoveCacheRecheck, PV_AND_ARM64),
        Need::of(Step::RereadUnderLock, PV_AND_ARM64),
    ],
    // As for the others, and the last of the knock-outs is found late.
    tested: &[Tested::part(1, 1, 30_000)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages);
    boot.map_cached_swap(src.mm, src.start);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let uffd = movers(&mut scene, size.cpus, (src, dst))[0];
    let other = scene.cpu("another page", move |cpu| {
        dontneed(src.first(1))(cpu);
        swapped_out_again(cpu, src)
    });
    scene.owns_what_it_returns(other);
    all_found(&mut scene, (src, dst));
    scene.sometimes("a page moves", did(uffd));
    scene.sometimes("the second one's slot moves", move |end| {
        let moved = end.entry_of(src, 0).is_none();
        end.got(other) == 1 && moved && end.entry_of(dst, 0).swap_slot().is_some()
    });
    scene.into_program()
}
