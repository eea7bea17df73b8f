//! R48: a page is pinned to be written to while write-back takes from its entry that it may be written by.
//!
//! Who pins after that goes by an entry of which the file system has heard nothing. (Who pinned before may write all the same:
//! `files/short-pin`.)

use crate::mapped::{is_writer_heard_of, mapped_file};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/mkclean-pin",
    catalogue: "R48",
    about: "An entry is write-protected for the sake of write-back between GUP's read of it and its pin.",
    needs: &[
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::WritebackProtects, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    boot.written_to(file, 0, pages[0]);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let flusher = scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    scene.always("it is written out", did(flusher));
    scene.always("the file system has heard of who may write", move |end| {
        is_writer_heard_of(end, file, area)
    });
    scene.sometimes("a caller pins it", gets(gup[0], pages[0]));
    scene.sometimes("a caller comes too late", gets_nothing(gup[0]));
    scene.into_program()
}
