//! A file's page is truncated, and goes to somebody else, while a caller pins it.
//!
//! Truncation asks for no pins. A page that somebody has pinned leaves its file, and stays his: what he writes there nobody will read.

use crate::mapped::mapped_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/truncate-pin",
    about: "A file's page is unmapped, leaves the page cache and is freed between GUP's read of the entry and its pin.",
    needs: &[
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    tested: SMALL_FOR_ONE_PAGE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    let page = pages[0];
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let owner = scene.cpu("truncate", move |cpu| {
        truncate(cpu, file, 0);
        alloc_folio(cpu, 0, Owner::Other).map(|folio| folio.head().pfn)
    });
    scene.owns_what_it_returns(owner);
    scene.always("it is in no file", move |end| {
        end.end.value(end.machine.page(page).mapping) == Mapping::None
    });
    scene.sometimes("a caller pins it", gets(gup[0], page));
    scene.sometimes("a page comes back with another owner", gets_all(owner, 1));
    scene.into_program()
}
