//! R54: a dirty page of a file is unmapped and written out, while user space has a translation by which it may write (5df397dec7c4).
//!
//! Write-back takes from all entries that they may be written by, and flushes. Where no mapping is counted it looks for no entries. So who
//! unmaps a dirty page flushes first, and takes its map count down after that, with the lock of the table held: who finds the page
//! mapped waits for that lock.

use crate::mapped::{is_kept, mapped_file, on_disk};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/delayed-rmap",
    catalogue: "R54",
    about: "A page is zapped, and written out before the flush, and user space writes by the translation that it still has.",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::RmapAfterFlush, HARDWARE_WALKS),
        Need::of(Step::TlbFlush, HARDWARE_WALKS),
        Need::of(Step::WritebackProtects, HARDWARE_WALKS),
        Need::of(Step::WritebackCleansFirst, HARDWARE_WALKS),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    unmapped(size, kernel, "madvise", |cpu, area, _| dontneed(area)(cpu))
}

/// A dirty page is written out while user space writes to it, and somebody takes it out of the page tables.
pub(crate) fn unmapped<R: Reply + 'static>(
    size: Size,
    kernel: Kernel,
    name: &'static str,
    unmap: fn(&Cpu<'_>, Area, (Pfn, FileId)) -> R,
) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    let page = pages[0];
    boot.written_to(file, 0, page);
    boot.hardware(area);
    let mut scene = Scene::new(boot);
    let users = scene.alike("user{}", size.cpus, user_writes(area, 1));
    scene.cpu(name, move |cpu| unmap(cpu, area, (page, file)));
    scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always("what was written is on the disk, or will be", move |end| {
        is_kept(end, file, page) || end.entry_of(area, 0).is_dirty()
    });
    scene.sometimes("user space writes", did(users[0]));
    scene.sometimes("it comes too late", did_not(users[0]));
    scene.sometimes("it is on the disk", move |end| on_disk(end, file) == 1);
    scene.into_program()
}
