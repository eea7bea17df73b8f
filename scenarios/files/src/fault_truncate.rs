//! A file becomes shorter while a fault maps a page of it (d00806b18315).
//!
//! Truncation changes the length first, and then looks for pages. A fault that has looked at the length before may put a new folio into the
//! cache after that, for which nobody looks any more. So it asks again once it has the folio locked. (Of a folio that it found there before
//! the length tells, too; of a hole only the folio does: `files/fault-punch`.)

use crate::mapped::cached_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/fault-truncate",
    about: "A fault finds a file's page in memory, which is truncated before it is mapped.",
    needs: &[
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
    let faults = scene.alike("fault{}", size.cpus, move |cpu: &Cpu<'_>| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::empty())
    });
    scene.cpu("truncate", move |cpu| truncate(cpu, file, 0));
    scene.always("nothing is mapped behind the end of the file", move |end| {
        end.mapped(area.mm, area.start).is_none()
    });
    scene.sometimes("the page is mapped", did(faults[0]));
    scene.sometimes("the file is too short", did_not(faults[0]));
    scene.into_program()
}
