//! R48, of a pin that is held for a moment only: a hole that is known, and open in v6.8.
//!
//! Nobody refuses such a pin, and write-back does not wait for it. The device writes after its page was cleaned, and the driver makes a
//! page dirty of which the file system has not heard. Pins of v6.5 and later are refused only if they are to be held for long.

use crate::mapped::{device_writes, is_heard_of, pinned_and_dirty};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/short-pin",
    catalogue: "R48",
    about: "A page is written out while a driver has pinned it, and the driver marks it dirty after that.",
    fails: EVERYWHERE,
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
    let flusher = scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always("the file system has heard of what is dirty", move |end| {
        is_heard_of(end, file, page)
    });
    scene.sometimes("the page is written out", did(flusher));
    scene.into_program()
}
