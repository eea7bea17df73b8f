//! R52, of a page in use: memory fails under an anonymous page while GUP takes it.
//!
//! A pin from before the page is unmapped survives: it is not taken back, and its owner meets the failure when he uses the page. Whoever
//! comes later finds an entry that says that memory has failed, and gets an error. An entry that is merely gone would be filled
//! by his own fault: he would get a page with nothing of what was there, and nobody would be told.

use crate::poisoned::fails;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/poisoned-in-use",
    catalogue: "R52",
    about: "Memory fails under a page in use, which is unmapped, while GUP takes it.",
    needs: &[
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PoisonEntry, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckMarks],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let memory = Memory {
        may_fail: true,
        ..Memory::default()
    };
    boot.set_memory(page, memory);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let failure = scene.cpu("memory failure", move |cpu| fails(cpu, page));
    scene.owns_what_it_returns(failure);
    scene.always("nobody gets another page in its place (I7)", move |end| {
        !gup.iter()
            .any(|&lane| end.got(lane) > 0 && !end.got_page(lane, page))
    });
    scene.sometimes("a caller has it all the same", move |end| {
        end.got_page(gup[0], page) && end.is(failure, "poisoned", "recovered")
    });
    scene.sometimes("a caller is told", move |end| {
        end.is(gup[0], "ret", "-EFAULT")
    });
    scene.into_program()
}
