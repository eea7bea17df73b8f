//! R35: a page is to be held for long, and has to move first. A batch for the LRU holds it, on another CPU, for no particular
//! reason; the page is on the LRU all the same.
//!
//! Nobody holds the page who could say why the pin should fail. v6.6 to v6.8 fail (98c6d259319e mended it, in v6.17). The other
//! half of R35, hugetlb's tables whose sharing is read off a count (59d9094df3d7), is hugetlb's, and not here.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/long-pin",
    catalogue: "R35",
    about: "A page is migrated so that it may be held for long, while another CPU has it in a batch.",
    needs: &[
        Need::of(Step::LongtermDrains, EVERYWHERE),
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
        Need::of(Step::FallbackKeepsLongterm, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.pageblock(&[page], Migratetype::Cma);
    boot.lru_batch(page);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.numbered_callers(size.cpus, Hold::Pin, move |cpu, nth| {
        // The others come for a while.
        let long = [Foll::empty(), Foll::LONGTERM][usize::from(nth == 0)];
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE | long)
    });
    scene.cpu("batch", lru_add_drain_all);
    let alone = size.cpus == 1;
    scene.always("who alone wants the page gets it (I11)", move |end| {
        !alone || end.got(gup[0]) == area.pages as usize
    });
    let text = "what must stay movable is held for long by nobody";
    scene.keeps(Invariant::I7, text, move |end| !end.got_page(gup[0], page));
    scene.sometimes("the page is held where it moved to", move |end| {
        end.got(gup[0]) > 0 && !end.got_page(gup[0], page)
    });
    scene.into_program()
}
