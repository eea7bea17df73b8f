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
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[Need::of(Step::FolioPublishBarrier, RELAXED)],
    indifferent: &[],
    tested: SMALL,
    build,
};

const RELAXED: &[&Profile] = &[&ARM64, &WEAK];

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let mut area = boot.anon_area(pages);
    area.pages = size.pages as i32;
    boot.wants_huge_pages(area);
    let head = boot.free_block(pages.trailing_zeros() as u8);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let fault = scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
    });
    let caller = gup[0];
    scene.always("the fault brings the huge page", move |end| {
        let entire = end.machine.page(head).entire_mapcount;
        end.is(fault, "fault", "done") && end.end.value(entire) == 1
    });
    scene.sometimes("a caller pins every page", move |end| {
        end.got(caller) == size.pages as usize
    });
    scene.sometimes("a caller finds nothing", move |end| end.got(caller) == 0);
    scene.into_program()
}
