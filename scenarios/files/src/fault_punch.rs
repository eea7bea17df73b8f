//! A hole is punched into a file while a fault maps a page of it (d00806b18315).
//!
//! The page leaves the cache, and the file is as long as before: nothing but the folio tells whether it is still the file's. The fault asks
//! with the folio locked, and looks for another.

use crate::mapped::cached_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/fault-punch",
    about: "A fault finds a file's page in memory, which leaves the file for a hole before it is mapped.",
    needs: &[
        Need::of(Step::FaultAsksMapping, EVERYWHERE),
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
    scene.alike("fault{}", size.cpus, move |cpu: &Cpu<'_>| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::empty())
    });
    scene.cpu("fallocate", move |cpu| punch_hole(cpu, file, 0..1));
    let mapped = move |end: &Ending<'_>| end.mapped(area.mm, area.start);
    scene.always("what is mapped is what the file has", move |end| {
        let place = end.machine.files[file.0 as usize].pages[0];
        mapped(end).is_none_or(|page| end.end.value(place).0 == Some(page))
    });
    scene.sometimes("the page is unmapped", move |end| mapped(end).is_none());
    scene.sometimes("another is mapped", move |end| mapped(end).is_some());
    scene.into_program()
}
