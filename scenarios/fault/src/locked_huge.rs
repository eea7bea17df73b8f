//! A write fault on a huge page that is not exclusive, whose folio somebody has locked.
//!
//! Whether the page can be reused is decided under the folio's lock. The fault must not sleep with the pmd lock held; so
//! it takes a reference, drops the pmd lock, waits, and looks at the pmd again. Meanwhile the mapping may be gone. The
//! reference that it left behind is not dropped before the TLB is flushed: to the count alone the page looks like one
//! that is mapped once, here.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fault/locked-huge",
    catalogue: "-",
    about: "A write fault on a huge page waits for the folio's lock, and the page is zapped meanwhile.",
    needs: &[Need::of(Step::RereadUnderLock, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.pmd_area();
    let head = boot.shared_thp(&[area]);
    boot.free_pages(2 * size.cpus);
    let mut scene = Scene::new(boot);
    let fault = move |cpu: &Cpu<'_>| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE) == VmFault::Done
    };
    let faults = scene.alike("cpu{} fault", size.cpus, fault);
    // Somebody who has a look at the folio.
    let holder = scene.cpu("holder", move |cpu| {
        let folio = Folio::of(cpu.machine().page(head));
        let locked = folio.trylock(cpu);
        if locked {
            folio.unlock(cpu);
        }
        locked
    });
    scene.cpu("madvise", dontneed(area));
    scene.always("the fault is handled", move |end| {
        faults.iter().all(|&lane| end.did(lane))
    });
    scene.sometimes("the folio is locked by somebody else", did(holder));
    scene.sometimes("the fault has it", did_not(holder));
    scene.into_program()
}
