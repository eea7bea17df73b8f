//! R23 for a huge page: a page fault maps a large folio, and a walker sees the pmd, but not yet the folio.
//!
//! Whether a folio is large is a flag of its head, and where the head is, a word of each tail. A walker that finds neither takes the
//! page for a small one, and counts its pin in the reference count. Whoever unpins finds a large folio, and takes the pin from the
//! other word (I3).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/publish",
    catalogue: "R23",
    about: "A page fault maps a new huge page; GUP sees the pmd, and takes the page for a small one.",
    // By the kernel's own model, and so under `weak`, the locks do: the zone's is dropped, and the table's is taken.
    needs: &[Need::of(Step::FolioPublishBarrier, ONLY_ARM64)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let mut area = boot.pmd_area();
    area.pages = size.pages as i32;
    boot.wants_huge_pages(area);
    let head = boot.free_huge_block();
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let fault = scene.cpu("fault", write_fault(area));
    scene.always("the fault brings the huge page", move |end| {
        let entire = end.machine.page(head).entire_mapcount;
        end.did(fault) && end.end.value(entire) == 1
    });
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller finds nothing", gets_nothing(gup[0]));
    scene.into_program()
}
