//! R23 for a large folio that is mapped by several PTEs: a walker finds some of them, and must find the folio.
//!
//! The entries come one after the other, and a pin may come in between. That it is one of a large folio, and where the head is, must be
//! seen with the first of them.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/range-publish",
    catalogue: "R23",
    about: "A page fault maps a large folio by several PTEs, one after the other, while GUP pins what it finds.",
    needs: &[Need::of(Step::FolioPublishBarrier, RELAXED)],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, 4.max(size.pages));
    let area = boot.anon_area(4.max(size.pages));
    boot.wants_folios_of(area, 1);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    let large = boot.free_block(1);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(size.pages), Foll::WRITE);
    let fault = scene.cpu("fault", write_fault(area));
    let (caller, wanted) = (gup[0], size.pages as usize);
    scene.always("the fault maps both pages", move |end| {
        let mapped = |n| end.end.value(end.machine.page(large.plus(n)).mapcount) == 1;
        end.did(fault) && mapped(0) && mapped(1)
    });
    scene.sometimes("a caller pins every page", move |end| {
        end.got(caller) == wanted.min(2)
    });
    scene.sometimes("a caller finds nothing", gets_nothing(caller));
    scene.into_program()
}
