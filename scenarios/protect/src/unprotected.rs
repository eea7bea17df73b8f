//! R43: a userfaultfd's write protection is set, and taken back at once, and a write to the page copies it: 6ce64428d62a.
//!
//! Who sets it holds the mmap lock for reading, and flushes at his end. Who takes it back leaves the entry read-only: the next
//! write faults, and decides. If that fault copies the page, a thread may still write to the old one by the translation that it had
//! from the beginning; what it writes is lost. So the fault flushes first, if somebody has a flush to do.
//!
//! The kernel is one before v5.19, in which a reference more than the mapping's makes the fault copy the page. Since then an
//! exclusive page is reused, and one that is not is never writable: the flush is there still, and carries nothing.
//!
//! `arm64` is not named. There the copy may be read before the count is: between the two are the unlocking of the table
//! and the locking of the allocator's zone, which LKMM takes for an order (unlock, then lock, on one CPU) and Armv8, too; C11 does not
//! (docs/limits.md, spin lock). `weak` has no hardware.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "protect/unprotected",
    catalogue: "R43",
    about: "A userfaultfd's write protection is set and taken back, and a fault copies the page before that is flushed; a thread writes.",
    profiles: X86,
    before: &[Step::ReuseExclusive],
    needs: &[
        Need::of(Step::TlbFlush, X86),
        Need::of(Step::RereadUnderLock, X86),
        Need::of(Step::WpFlushesPending, X86),
    ],
    tested: &[
        Tested::part(1, 1, 20_000),
        Tested::whole(1, 1, 2_000_000).longer(),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let by_references = kernel.does(Step::ReuseByRefcount);
    let mut boot = Boot::for_pages(kernel, size.cpus + 3, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    boot.watched(area);
    let page = boot.populate(area)[0];
    // Somebody has a reference, of which nothing more is known.
    boot.take_reference(page);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    scene.held(page, 1);
    let threads = scene.alike("thread{}", size.cpus, user_writes(area, 1));
    scene.cpu("protect", move |cpu| mwriteprotect_range(cpu, area, false));
    scene.cpu("resolve", move |cpu| mwriteprotect_range(cpu, area, true));
    let fault = scene.cpu("fault", write_fault(area));
    scene.always("what a thread wrote is there", move |end| {
        let wrote = end.any_did(&threads);
        !wrote || end.contents(area, 0) == Some(1)
    });
    // By the map count nobody would ever have copied it.
    if by_references {
        scene.sometimes("a thread writes, and the page is copied", move |end| {
            end.did(threads[0]) && !end.is_there(area, 0, page)
        });
    }
    scene.sometimes("the monitor is asked", move |end| {
        end.is(fault, "fault", "sigbus")
    });
    scene.into_program()
}
