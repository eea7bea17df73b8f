//! R46: a device's driver is unbound, and its struct pages go, while an entry still leads there.
//!
//! `memunmap_pages` takes nothing out of page tables. What keeps a walker away from the struct pages is the pagemap: once it
//! is killed nobody gets a reference of it, and those who had one before are waited for.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "devmap/unbind",
    catalogue: "R46",
    about: "A device's struct pages go with its driver while GUP takes one by an entry that is still there.",
    needs: &[Need::of(Step::PagemapReference, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let first = boot.device_memory(size.pages);
    for n in 0..size.pages {
        boot.map_device(area.mm, area.addr(n), first.plus(n), true);
    }
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("unbind", move |cpu| memunmap_pages(cpu, 0));
    scene.sometimes(
        "a caller gets the page before the driver goes",
        gets(gup[0], first),
    );
    scene.sometimes("a caller finds the pagemap dying", gets_nothing(gup[0]));
    scene.into_program()
}
