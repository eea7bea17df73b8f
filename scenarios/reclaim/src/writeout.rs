//! R54: reclaim writes a page out while a thread still writes to it by a stale translation.
//!
//! Reclaim clears the entry of a dirty page, and puts the flush off. Until the flush a thread that has a translation goes on writing, and
//! tells nobody. So the flush must come before the contents are read (`try_to_unmap_flush_dirty`, d950c9477d51): what is
//! written after that is in no slot, and the page is freed.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/writeout",
    catalogue: "R54",
    about: "Reclaim unmaps a dirty page, puts the flush off, and writes the page out, while a thread writes to it.",
    needs: &[
        Need::of(Step::TlbFlush, EVERYWHERE),
        Need::of(Step::FlushBeforeWriteout, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let pages = boot.populate(area);
    boot.swap_space(size.pages);
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &pages) > 0);
    scene.always("what a thread wrote is there", move |end| {
        let wrote = end.any_did(&threads);
        !wrote || end.contents(area, 0) == Some(1)
    });
    scene.sometimes("a thread writes, and the page is written out", move |end| {
        end.did(threads[0]) && end.did(reclaim)
    });
    scene.sometimes("a thread comes too late", did_not(threads[0]));
    scene.into_program()
}
