//! R22: a table that `MADV_DONTNEED` has emptied is freed, and somebody fills it again just then.
//!
//! The kernel is later than v6.8: tables are freed so since v6.14 (6375e95f381e). Where the table's lock is dropped in the
//! middle, because no more pages can be noted, a fault may put a page there; at first the table was freed all the same.
//! `x86-native` is not among the profiles: a fault holds the mmap lock for reading, as `MADV_DONTNEED` does, and is in the table with
//! interrupts on. The flush's IPI does not wait for it, a grace period does; so v6.14 frees such tables by RCU on bare x86, too
//! (718b13861d22, `tests/interrupts_on.rs`).
//!
//! A walker that is inside is waited for by RCU, as anywhere. (It takes references: that a pin would meet finding F3 is another
//! story.)

use gupcheck_races::prelude::*;

/// The table's lock is held throughout.
pub(crate) const EMPTIED: Race = Race {
    name: "tables/emptied",
    catalogue: "R22",
    about: "MADV_DONTNEED frees a table that it has emptied, while GUP walks it and a fault wants to fill it (later than v6.8).",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::IrqsOffHoldRcu, NO_IPI),
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PutOrdered, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
        Need::of(Step::RcuTableFree, NO_IPI),
        Need::of(Step::RereadUnderLock, NO_IPI),
        Need::of(Step::EntrySingleLoad, NO_IPI),
        Need::of(Step::PteRecheck, NO_IPI),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(emptied)
};

/// The table's lock is dropped after each page.
pub(crate) const REFILLED: Race = Race {
    name: "tables/refilled",
    about: "MADV_DONTNEED empties a table in two goes, a fault fills it again in between, and it is freed (later than v6.8).",
    needs: &[
        Need::of(Step::IrqsOffHoldRcu, NO_IPI),
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PutOrdered, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
        Need::of(Step::RcuTableFree, NO_IPI),
        Need::of(Step::RereadUnderLock, NO_IPI),
        Need::of(Step::ReclaimRechecks, NO_IPI),
        Need::of(Step::EntrySingleLoad, NO_IPI),
    ],
    build: refilled,
    ..EMPTIED
};

fn emptied(size: Size, kernel: Kernel) -> Program {
    build(size, Boot::for_pages(kernel, size.cpus + 2, size.pages))
}

fn refilled(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    boot.gather_pages(1);
    build(size, boot)
}

fn build(size: Size, mut boot: Boot) -> Program {
    let area = boot.pmd_area();
    let page = boot.populate(area.first(size.pages))[0];
    let table = boot.table_of(area);
    boot.free_pages(2);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::WRITE);
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed_reclaim(cpu, area.mm, area.start, area.end);
    });
    scene.cpu("fault", write_fault(area));
    scene.sometimes("the table goes", move |end| end.is_free(table));
    scene.sometimes("the table stays", move |end| !end.is_free(table));
    scene.sometimes("a caller gets the page that was there", gets(gup[0], page));
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
