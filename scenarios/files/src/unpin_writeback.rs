//! A device writes to a file's page by a pin, and its driver marks the page dirty and unpins it, while the page is written out.
//!
//! Of a page that is dirty already the driver asks no more, and takes no lock. It is right: who clears the mark after that look reads
//! what is in the page after that, and finds what the device wrote; who cleared it before is found out. For that the mark is
//! cleared first, and then the contents are read.
//!
//! (That the file system has not heard of the write is another matter: `files/short-pin`.)

use crate::mapped::{device_writes, is_dirty, is_kept, on_disk, pinned_and_dirty};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/unpin-writeback",
    about: "A page is written out while a driver finds it dirty, and unpins what its device wrote to.",
    needs: &[Need::of(Step::WritebackCleansFirst, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (file, page) = pinned_and_dirty(&mut boot, size);
    let mut scene = Scene::new(boot);
    scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        let page = cpu.machine().page(page);
        device_writes(cpu, page);
        unpin_user_pages_dirty_lock(cpu, &[page], true);
    });
    scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always(
        "what a device wrote is on the disk, or will be",
        move |end| is_kept(end, file, page),
    );
    scene.sometimes("it is on the disk", move |end| on_disk(end, file) == 1);
    scene.sometimes("the page is dirty again", move |end| is_dirty(end, page));
    scene.into_program()
}
