//! R58: compaction goes through frames, and finds a page that is unmapped, freed, and faulted in elsewhere meanwhile.
//!
//! It is as speculative as a walker: it holds nothing that keeps the page, so its reference is taken only if there is one already, and what
//! it looked at before must be looked at again (the LRU bit, as its own is taken away). What it then has may be the frame's next life:
//! that page moves, and nobody cares which it was. The other users of the pattern are files' (page cache lookups, futexes, `fget`)
//! or change nothing (`noise`: page idle tracking); `walker/vmemmap-pfn` is one whose struct page becomes read-only.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/frame-walk",
    catalogue: "R58",
    about: "Compaction isolates what is in a frame, while the page there is freed, another one comes, and GUP takes either.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::IsolateUnlessZero, EVERYWHERE),
    ],
    // A migration is long: to the end it is explored when somebody asks for it.
    tested: &[
        Tested::part(1, 1, 30_000),
        Tested::part(1, 2, 20_000),
        Tested::part(2, 1, 2_000),
        Tested::whole(1, 1, 1_000_000).longer(),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise, fault", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
    });
    let compaction = scene.cpu("compaction", move |cpu| migrate_page(cpu, page).is_some());
    let caller = gup[0];
    scene.sometimes("a caller gets the page", gets(caller, page));
    scene.sometimes("what is in the frame moves", did(compaction));
    scene.sometimes("a caller gets nothing", gets_nothing(caller));
    scene.into_program()
}
