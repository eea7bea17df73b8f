//! A file becomes shorter while its file system is told that a page of it will be written to (4fcf1c6205fc).
//!
//! The fault lets go of the folio's lock to tell it. What it knew of the page is asked again with the lock held.

use crate::mapped::cached_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/mkwrite-truncate",
    about: "A file's page is truncated after a write fault has found it, and before the file system is told of the write.",
    needs: &[
        Need::of(Step::MkwriteAsksMapping, EVERYWHERE),
        Need::of(Step::MkwriteKeepsLock, EVERYWHERE),
        Need::of(Step::FaultAsksSize, EVERYWHERE),
        Need::of(Step::AddUnlessZero, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, _) = cached_file(&mut boot, Backing::File, shared, size.pages);
    boot.free_pages(1);
    let mut scene = Scene::new(boot);
    let faults = scene.alike("fault{}", size.cpus, write_fault(area));
    scene.cpu("truncate", move |cpu| truncate(cpu, file, 0));
    scene.always("nothing is mapped behind the end of the file", move |end| {
        end.mapped(area.mm, area.start).is_none()
    });
    scene.sometimes("the page is mapped", did(faults[0]));
    scene.sometimes("the file is too short", did_not(faults[0]));
    scene.into_program()
}
