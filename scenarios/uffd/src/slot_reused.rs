//! The entry of a slot moves with the folio that the swap cache had for it, whose slot is another page's by now (K11, CVE-2025-38242).
//!
//! The folio is found with no lock. Until it is locked the page is zapped, another one is there, and is swapped out to the same slot.
//! The entry is what it was. So the folio is asked, with its lock held, whether it is still cached, and for this slot (0ea148a79919).

use gupcheck_races::prelude::*;

use crate::areas::{LOCKED, all_found, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/slot-reused",
    catalogue: "K11",
    about: "A slot serves for another page between UFFDIO_MOVE's look into the swap cache and the folio's lock (CVE-2025-38242).",
    profiles: LOCKED,
    before: &[],
    needs: &[Need::of(Step::MoveCacheRecheck, LOCKED)],
    indifferent: &[],
    tested: &[Tested::part(1, 1, 20_000)],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages, true);
    boot.map_cached_swap(src.mm, src.start);
    boot.free_block(1);
    let mut scene = Scene::new(boot);
    let movers = scene.alike("uffd{}", size.cpus, move |cpu: &Cpu<'_>| {
        let moved = move_pages(cpu, dst, src).is_ok();
        if moved {
            do_user_addr_fault(cpu, dst.mm, dst.start, FaultFlags::empty());
        }
        moved
    });
    let other = scene.cpu("another page", move |cpu| {
        madvise_dontneed(cpu, src.mm, src.start, src.start + PAGE_SIZE);
        do_user_addr_fault(cpu, src.mm, src.start, FaultFlags::WRITE);
        let pte = find_entry(cpu, cpu.machine().mm(src.mm), src.start, Level::Pte)?.get(cpu);
        pte.pte_present().then(|| reclaim_pages(cpu, &[pte.pfn()]))
    });
    let mover = movers[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("a page moves", move |end| end.is(mover, "did", "yes"));
    scene.sometimes("the second page is swapped out", move |end| {
        end.value(other) == Some(1)
    });
    scene.into_program()
}
