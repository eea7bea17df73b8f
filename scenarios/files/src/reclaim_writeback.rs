//! R54, of reclaim: a dirty page of a file is unmapped, with the flush put off, and written out before that: F14.
//!
//! Whoever takes the last mapping away of a dirty page by zapping flushes before the map count goes (`files/delayed-rmap`). Reclaim does not: it
//! notes that a flush is due, marks the page dirty, takes the map count down, and gives the page's lock back, because it is for the flusher to
//! write it out. The flusher finds no mapping, and so nothing to write-protect. Until reclaim flushes, user space writes by the
//! translation that it has, which says dirty already.

use crate::mapped::{is_kept, mapped_file, on_disk};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/reclaim-writeback",
    catalogue: "R54",
    about: "A dirty page is unmapped by reclaim and written out before the flush, and user space writes by the translation that it still has.",
    profiles: HARDWARE_WALKS,
    fails: HARDWARE_WALKS,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    let page = pages[0];
    boot.written_to(file, 0, page);
    boot.hardware(area);
    let mut scene = Scene::new(boot);
    let users = scene.alike("user{}", size.cpus, user_writes(area, 1));
    scene.cpu("kswapd", move |cpu| reclaim_file_page(cpu, page, (file, 0)));
    scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always("what was written is on the disk, or will be", move |end| {
        is_kept(end, file, page) || end.entry_of(area, 0).is_dirty()
    });
    scene.sometimes("user space writes", did(users[0]));
    scene.sometimes("it comes too late", did_not(users[0]));
    scene.sometimes("it is on the disk", move |end| on_disk(end, file) == 1);
    scene.into_program()
}
