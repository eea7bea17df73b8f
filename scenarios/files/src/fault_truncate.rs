//! A file becomes shorter while a fault maps a page of it (d00806b18315).
//!
//! Truncation looks for a page in the cache and in the tables, once each. What a fault found before that it may not map after that.
//! So the fault has the folio locked when it maps it, and asks with the lock held whether the folio is still the file's, and whether the
//! file still is so long: it may have put a new folio there meanwhile, for which nobody looks any more.

use crate::mapped::cached_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/fault-truncate",
    about: "A fault finds a file's page in memory, which is truncated before it is mapped.",
    needs: &[
        Need::of(Step::FaultAsksMapping, EVERYWHERE),
        Need::of(Step::FaultAsksSize, EVERYWHERE),
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
