//! A fault finds a folio in the swap cache; until it has the folio's lock, the slot serves for another page.
//!
//! The entry that was read names a slot, and so does the one that is there once the lock is held: the same slot, in which another
//! page of this address is by now. So the entry alone does not tell; the folio is asked, with its lock held, whether it is
//! still in the cache, and for which slot. Locks decide, and no order does: two profiles are enough. More pages change nothing.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/slot-reused",
    catalogue: "R11",
    about: "A slot is freed and serves for another page of the same address between a fault's look into the swap cache and its lock.",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::SwapCacheRecheck, PV_AND_ARM64),
        // Whoever finds the folio in the cache gets no reference of one that is frozen.
        Need::of(Step::AddUnlessZero, PV_AND_ARM64),
        Need::of(Step::RefcountFreeze, PV_AND_ARM64),
        Need::of(Step::RereadUnderLock, PV_AND_ARM64),
    ],
    // The second CPU's way is long: what the race rests on is computed when somebody asks for it.
    tested: &[
        Tested::part(1, 1, 20_000),
        Tested::whole(1, 1, 500_000).longer(),
        Tested::whole(1, 1, 100_000),
    ],
    ..Race::of(build)
};

/// What is in the page that comes second.
const SECOND: u32 = 2;

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let slot = boot.map_swap(area.mm, area.start, true);
    boot.cached_for(slot);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let (mm, start) = (area.mm, area.start);
    scene.alike("fault{}", size.cpus, move |cpu: &Cpu<'_>| {
        do_user_addr_fault(cpu, mm, start, FaultFlags::empty())
    });
    let other = scene.cpu("another page", move |cpu| {
        madvise_dontneed(cpu, mm, start, area.addr(1));
        do_user_addr_fault(cpu, mm, start, FaultFlags::WRITE);
        let second = find_entry(cpu, cpu.machine().mm(mm), start, Level::Pte)?;
        let pte = Some(second.get(cpu)).filter(|pte| pte.is_writable())?;
        let page = cpu.machine().page(pte.pfn());
        write_once(cpu, page.contents, SECOND);
        Some(reclaim_pages(cpu, &[page.pfn]))
    });
    scene.always("the second page is there", move |end| {
        end.value(other).is_none() || end.contents(area, 0) == Some(SECOND)
    });
    scene.sometimes("it is swapped out", move |end| end.value(other) == Some(1));
    scene.into_program()
}
