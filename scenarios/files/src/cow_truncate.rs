//! A file becomes shorter while a fault makes a private copy of a page of it (d00806b18315).
//!
//! The copy is in no cache, and truncation finds it by its address alone. The fault has the page of the file locked until the copy is
//! mapped: so once that page has left the cache, all copies are where they can be found, and whoever truncates looks there again.

use crate::mapped::cached_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/cow-truncate",
    about: "A fault copies a file's page for a private area, while the file is truncated.",
    needs: &[
        Need::of(Step::TruncateUnmapsAgain, EVERYWHERE),
        Need::of(Step::FaultAsksSize, EVERYWHERE),
        Need::of(Step::AddUnlessZero, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let private = VmFlags::PRIVATE;
    let (file, area, _) = cached_file(&mut boot, Backing::File, private, size.pages);
    boot.free_pages(2);
    let mut scene = Scene::new(boot);
    let faults = scene.alike("fault{}", size.cpus, write_fault(area));
    scene.cpu("truncate", move |cpu| truncate(cpu, file, 0));
    scene.always("nothing is mapped behind the end of the file", move |end| {
        end.mapped(area.mm, area.start).is_none()
    });
    scene.sometimes("the copy is mapped", did(faults[0]));
    scene.sometimes("the file is too short", did_not(faults[0]));
    scene.into_program()
}
