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

use crate::profiles::{ALL, ARM};

pub(crate) const RACE: Race = Race {
    name: "reclaim/trusted-entry",
    catalogue: "R54",
    about: "Reclaim clears an entry and puts the flush off; madvise finds it cleared and returns; a thread still writes.",
    profiles: ALL,
    before: &[],
    needs: &[
        // Whoever zaps a swap entry finds the folio in the cache while reclaim takes it out.
        Need::of(Step::AddUnlessZero, ALL),
        Need::of(Step::RefcountFreeze, ALL),
        Need::of(Step::TlbFlush, ALL),
        Need::of(Step::FlushBatchedPending, ALL),
        Need::of(Step::PendingInvalidates, ARM),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let page = boot.populate(area)[0];
    boot.swap_space(1);
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, move |cpu: &Cpu<'_>| {
        user_write(cpu, area.mm, area.start, 1)
    });
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    let madvise = scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
        Some(read_once(cpu, cpu.machine().page(page).contents))
    });
    let thread = threads[0];
    scene.always(
        "nobody writes to a page after madvise has returned",
        move |end| end.value(madvise) == Some(i64::from(end.contents_of(page))),
    );
    scene.sometimes("a thread writes", move |end| end.is(thread, "did", "yes"));
    scene.sometimes("the page is reclaimed", move |end| {
        end.is(reclaim, "did", "yes")
    });
    scene.into_program()
}
