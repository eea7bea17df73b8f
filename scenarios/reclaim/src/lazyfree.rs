//! R08: a page that `MADV_FREE` gave up is discarded while a caller gets a reference of it, for direct I/O.
//!
//! Before v5.18 (6c8e2a256915) reclaim discarded the entry of every such page that was clean. A reference kept the *folio* from
//! being freed, but user space, whose read went to that folio, found zeroes at the address. Now reclaim clears the entry, has a
//! full barrier, and looks at the references; the walker takes a reference, which is a full barrier, and looks at the entry.
//! One of the two sees the other.
//!
//! On x86 the cleared entry is a barrier by itself; on arm64 what is sent of the flush that is put off begins with one.
//! So `lazyfree-barrier` is needed by what generic code promises alone.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/lazyfree",
    catalogue: "R08",
    about: "Reclaim discards a page that was given up while GUP gets a reference through the entry that was there.",
    needs: &[
        Need::of(Step::AddUnlessZero, EVERYWHERE),
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::LazyfreeRefs, EVERYWHERE),
        Need::of(Step::LazyfreeBarrier, WEAKEST),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let pages = boot.populate(area);
    let page = pages[0];
    boot.madvise_free(area.mm, area.start, page);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    scene.always("what a caller got is still there (I5)", move |end| {
        !end.any_got(&gup, page) || end.is_there(area, 0, page)
    });
    scene.sometimes("the page is discarded", did(reclaim));
    scene.sometimes("a caller gets it, and it stays", gets(gup[0], page));
    scene.into_program()
}
