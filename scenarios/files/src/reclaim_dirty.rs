//! R08, of a file's page: it is written out and reclaimed, while a device writes to it whose driver has a reference (e286781d5f2e).
//!
//! The page is clean and mapped nowhere when reclaim looks for references. The driver marks it dirty and drops its reference just before. So
//! reclaim asks once more whether it is dirty, when nobody can have it any more.

use crate::mapped::{is_dirty, mapped_file, on_disk};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/reclaim-dirty",
    catalogue: "R08",
    about: "A file's page that was just written out is marked dirty and dropped before reclaim finds no reference of it.",
    needs: &[
        Need::of(Step::RemoveChecksDirty, EVERYWHERE),
        Need::of(Step::WritebackCleansFirst, EVERYWHERE),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    tested: &[
        Tested::whole(1, 1, 40_000),
        Tested::whole(1, 2, 40_000),
        Tested::part(2, 1, 2_000),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    let page = pages[0];
    boot.written_to(file, 0, page);
    let mut scene = Scene::new(boot);
    let drivers = scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        let (mm, flags) = (area.mm, Foll::WRITE);
        let gup = get_user_pages_fast_only(cpu, mm, area.start, area.pages, flags);
        write_and_put_pages(cpu, &gup.pages, 1);
        !gup.pages.is_empty()
    });
    scene.cpu("kswapd", move |cpu| {
        write_cache_page(cpu, file, 0);
        reclaim_file_page(cpu, page, (file, 0))
    });
    scene.always(
        "what a device wrote is on the disk, or will be",
        move |end| {
            let place = end.machine.files[file.0 as usize].pages[0];
            let cached = end.end.value(place).0 == Some(page);
            !end.any_did(&drivers) || on_disk(end, file) == 1 || cached && is_dirty(end, page)
        },
    );
    scene.sometimes("reclaim unmaps it", move |end| {
        end.mapped(area.mm, area.start).is_none()
    });
    scene.sometimes("a device writes to it", did(drivers[0]));
    scene.into_program()
}
