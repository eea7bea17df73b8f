//! The same as `files/unpin-writeback`, of a CPU that writes, and not of a device: F12.
//!
//! `process_vm_writev` copies into pages that it has pinned, and calls `unpin_user_pages_dirty_lock`. Between what it has copied and the
//! look at the mark there is no barrier. What is copied may be in the CPU's store buffer yet when the mark is found set.

use crate::mapped::{is_dirty, is_kept, on_disk, pinned_and_dirty};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/copy-writeback",
    about: "A page is written out while somebody finds it dirty who has copied something into it, and unpins it.",
    fails: EVERYWHERE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (file, page) = pinned_and_dirty(&mut boot, size);
    let mut scene = Scene::new(boot);
    scene.alike("process_vm_writev{}", size.cpus, move |cpu: &Cpu<'_>| {
        let page = cpu.machine().page(page);
        write_once(cpu, page.contents, 1);
        unpin_user_pages_dirty_lock(cpu, &[page], true);
    });
    scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always("what was copied is on the disk, or will be", move |end| {
        is_kept(end, file, page)
    });
    scene.sometimes("it is on the disk", move |end| on_disk(end, file) == 1);
    scene.sometimes("the page is dirty again", move |end| is_dirty(end, page));
    scene.into_program()
}
