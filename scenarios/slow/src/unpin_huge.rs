//! R36, on the way back: pins of a large folio are given back while its mapping goes, and the next large folio comes to its place.
//!
//! Its pins are in one word, its references in another. Who drops the last reference has nothing more to say of the folio: whoever
//! took his pin out of the count after that, would take it out of the next one's.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/unpin-huge",
    catalogue: "R36",
    about: "A huge page is zapped and unpinned, and a fault makes another huge page of the same frames.",
    needs: &[Need::of(Step::PinsBeforeReferences, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.wants_huge_pages(area);
    let head = boot.mapped_thp(area, true);
    boot.has_pinned_before(area.mm);
    // The mapping's reference, and a pin of each driver.
    boot.set_references(head, 1 + size.cpus as i32);
    let pincount = boot.page(head).pincount;
    boot.layout().set(pincount, size.cpus as i32);
    // A table for the next mapping; and a page, where there are no frames for a huge one.
    boot.free_pages(2);
    let mut scene = Scene::new(boot);
    scene.alike("driver{}", size.cpus, move |cpu: &Cpu<'_>| {
        unpin_user_pages(cpu, &[cpu.machine().page(head)]);
    });
    scene.cpu("user", move |cpu| {
        dontneed(area)(cpu);
        write_fault(area)(cpu)
    });
    let reused = move |end: &Ending<'_>| end.mapped(area.mm, area.start) == Some(head);
    scene.sometimes("its frames serve for the next huge page", reused);
    scene.sometimes("a pin keeps them", move |end| !reused(end));
    scene.into_program()
}
