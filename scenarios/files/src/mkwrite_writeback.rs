//! A write fault makes an entry writable while the page is written out: whoever may write by an entry has been heard of (d08b3851da41,
//! b827e496c893).
//!
//! The fault tells the file system, and keeps the folio locked from then on until the entry is writable. So write-back comes before, and
//! then the page is not dirty, or it comes after, and finds the entry.

use crate::mapped::{is_writer_heard_of, mapped_file};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/mkwrite-writeback",
    about: "A page is written out between a fault's telling the file system of a write and the entry's becoming writable.",
    needs: &[
        Need::of(Step::MkwriteKeepsLock, EVERYWHERE),
        Need::of(Step::WritebackProtects, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, _) = mapped_file(&mut boot, Backing::File, shared, size.pages);
    boot.change_ptes(area, |pte| pte.without(Bits::WRITE | Bits::DIRTY));
    let mut scene = Scene::new(boot);
    scene.alike("fault{}", size.cpus, write_fault(area));
    let flusher = scene.cpu("flusher", move |cpu| write_cache_page(cpu, file, 0));
    let is_writable = move |end: &Ending<'_>| end.entry_of(area, 0).is_writable();
    scene.always("the file system has heard of who may write", move |end| {
        is_writer_heard_of(end, file, area)
    });
    scene.sometimes("the page is written out after that", did(flusher));
    scene.sometimes("it may be written to in the end", is_writable);
    scene.into_program()
}
