//! R54: `madvise` finds an entry that reclaim has cleared, and returns without a flush, while a thread still writes by a stale
//! translation.
//!
//! Whoever returns from `MADV_DONTNEED` (or munmap, or mprotect) relies on it that nobody gets to the page any more. The entry that
//! it finds cleared was cleared by reclaim, whose flush is still due. So it asks the mm, under the page-table lock, whether a
//! flush was put off (`flush_tlb_batched_pending`, 3ea277194daa, v4.13).
//!
//! On arm64 that was not enough until v6.16 (docs/findings.md, F8): there it waited by a DSB, which waits for what its own CPU has
//! invalidated, and for nobody else's.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/trusted-entry",
    catalogue: "R54",
    about: "Reclaim clears an entry and puts the flush off; madvise finds it cleared and returns; a thread still writes.",
    needs: &[
        // Whoever zaps a swap entry finds the folio in the cache while reclaim takes it out.
        Need::of(Step::AddUnlessZero, EVERYWHERE),
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::TlbFlush, EVERYWHERE),
        Need::of(Step::FlushBatchedPending, EVERYWHERE),
        Need::of(Step::PendingInvalidates, ONLY_ARM64),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let page = boot.populate(area)[0];
    boot.swap_space(1);
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    let madvise = scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
        Some(read_once(cpu, cpu.machine().page(page).contents))
    });
    scene.always(
        "nobody writes to a page after madvise has returned",
        move |end| end.value(madvise) == Some(i64::from(end.contents_of(page))),
    );
    scene.sometimes("a thread writes", did(threads[0]));
    scene.sometimes("the page is reclaimed", did(reclaim));
    scene.into_program()
}
