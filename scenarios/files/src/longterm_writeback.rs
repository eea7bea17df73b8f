//! R48: a page is pinned for long, to be written to, and its file system believes that it hears of every write (a6e79df92e4a,
//! 8ac268436e6d).
//!
//! Write-back cleans the page, and takes from all entries that they may be written by: the next write is a fault, which tells the
//! file system. Who has a pin needs no entry. He writes, says at last that the page is dirty, and nothing is there to write it out
//! with: ext4 gives up what is in it, and older ones ended in a BUG. So pins of such pages that are to be held for long are refused,
//! by the lockless walk, which asks the page, and by the slow path, which asks the area.

use crate::mapped::{device_writes, is_heard_of, mapped_file};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/longterm-writeback",
    catalogue: "R48",
    about: "A driver pins a file's page for long and writes to it, while the page is written out and its mappings are write-protected.",
    needs: &[
        Need::of(Step::MappingGate, EVERYWHERE),
        Need::of(Step::TrackedRefused, EVERYWHERE),
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
        Need::of(Step::FallbackKeepsLongterm, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// Whether it got a page.
fn driver(cpu: &Cpu<'_>, area: Area) -> bool {
    let flags = Foll::WRITE | Foll::LONGTERM;
    let gup = pin_user_pages_fast(cpu, area.mm, area.start, area.pages, flags);
    for page in &gup.pages {
        device_writes(cpu, page);
    }
    unpin_user_pages_dirty_lock(cpu, &gup.pages, true);
    !gup.pages.is_empty()
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    let page = pages[0];
    boot.written_to(file, 0, page);
    let mut scene = Scene::new(boot);
    let drivers = scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        driver(cpu, area)
    });
    let flusher = scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always("the file system has heard of what is dirty", move |end| {
        is_heard_of(end, file, page)
    });
    scene.sometimes("the page is written out", did(flusher));
    scene.sometimes("the driver is refused", did_not(drivers[0]));
    scene.into_program()
}
