//! R25 for a fault that maps several pages at once, as v6.8's may: somebody maps one page in the middle of the range meanwhile.
//!
//! There is memory for one large folio. Who has it maps both pages; who does not maps the one that he touched. The page that was
//! there first must stay.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/range",
    catalogue: "R25",
    about: "A page fault maps a large folio over several entries, and another has mapped a small page at one of them.",
    needs: &[
        Need::of(Step::RereadUnderLock, EVERYWHERE),
        Need::of(Step::RangeReread, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, 4.max(size.pages));
    let area = boot.anon_area(4.max(size.pages));
    boot.wants_folios_of(area, 1);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    let large = boot.free_block(1);
    boot.free_pages(size.cpus * size.pages + 1);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let second = area.start + PAGE_SIZE;
    let fault = scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, second, FaultFlags::WRITE)
    });
    let (caller, wanted) = (gup[0], size.pages as usize);
    scene.always(
        "a caller gets every page, and the fault is handled",
        move |end| gup.iter().all(|&lane| end.got(lane) == wanted) && end.did(fault),
    );
    scene.sometimes("the large folio is mapped", gets(caller, large));
    scene.sometimes("small pages are", move |end| !end.got_page(caller, large));
    scene.into_program()
}
