//! A huge page of which a part is mapped no more is freed, while the shrinker looks into the queue of those to split.
//!
//! The shrinker finds the folio in the queue, and has no reference of it. Whoever drops the last one takes the folio out of the queue,
//! but needs the queue's lock for that: the shrinker may have it. So the shrinker takes its reference unless there is none left.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/deferred-free",
    catalogue: "-",
    about: "What is left of a partly unmapped huge page is unmapped, and all of it freed, while the shrinker finds it in its queue.",
    needs: &[
        Need::of(Step::ScanUnlessZero, EVERYWHERE),
        Need::of(Step::FreeUnqueues, EVERYWHERE),
        Need::of(Step::SplitUnqueues, EVERYWHERE),
        // The shrinker splits, and its migration entries are zapped: R59.
        Need::of(Step::MigrationEntryRmb, RELAXED),
        Need::of(Step::TailFlagsWmb, RELAXED),
    ],
    ..Race::of(build)
};

/// As many CPUs as there are callers elsewhere unmap the rest.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    let head = boot.partly_mapped_thp(area, 1..size.pages + 1);
    let mut scene = Scene::new(boot);
    scene.alike("cpu{} zap", size.cpus, move |cpu: &Cpu<'_>| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let shrinker = scene.cpu("shrinker", |cpu| deferred_split_scan(cpu) > 0);
    scene.always("all of it is freed, and out of the queue", move |end| {
        (0..pages).all(|n| end.is_free(head.plus(n))) && !end.is_queued_for_split(head)
    });
    scene.sometimes("it is split before", did(shrinker));
    scene.sometimes("it is not", did_not(shrinker));
    scene.into_program()
}
