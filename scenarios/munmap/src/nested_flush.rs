//! R54: two zap the same page, and the second finds nothing to do.
//!
//! `MADV_DONTNEED` holds the mmap lock for reading. The first clears the entry, and flushes at its end. The second finds the entry
//! cleared, and has nothing to flush; but it must not return before hardware has forgotten the page, because its caller relies on
//! that. (Whoever knows that it returned has a barrier between that and a look at the page.) So it asks the mm at its end whether somebody else is at it (99baac21e458, v4.13). Here threads that write by a
//! translation are in the place of GUP callers.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "munmap/nested-flush",
    catalogue: "R54",
    about: "Two MADV_DONTNEED of the same page at once: the second finds it gone and returns; a thread still writes to it.",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::TlbFlush, HARDWARE_WALKS),
        Need::of(Step::NestedFlush, HARDWARE_WALKS),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    let zaps = scene.alike("cpu{} madvise", 2, move |cpu: &Cpu<'_>| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        smp_mb(cpu);
        Some(read_once(cpu, cpu.machine().page(page).contents))
    });
    let (thread, zap) = (threads[0], zaps[0]);
    scene.always(
        "nobody writes to a page after madvise has returned",
        move |end| {
            let last = Some(i64::from(end.contents_of(page)));
            zaps.iter().all(|&lane| end.value(lane) == last)
        },
    );
    scene.sometimes("a thread writes before", move |end| {
        end.did(thread) && end.value(zap) == Some(1)
    });
    scene.sometimes("a thread comes too late", did_not(thread));
    scene.into_program()
}
