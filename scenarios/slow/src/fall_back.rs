//! R53, where the walk goes on: it finds the entry gone, and slow GUP is asked for the rest.
//!
//! What the caller wished for must go down with it. Until v5.2 only the wish to write did: slow GUP takes a reference then where a pin
//! is wanted, and the caller gives back a pin.
//!
//! (Of two callers under `arm64` and `weak` one may pin what the other has faulted in, and a debugging kernel stops: F3.)

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/fall-back",
    catalogue: "R53",
    about: "A page is zapped under the lockless walk, and slow GUP goes on, and pins another one.",
    needs: &[
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    tested: &[Tested::whole(1, 1, 20_000), Tested::whole(1, 2, 20_000)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_pages(size.pages * size.cpus);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", dontneed(area));
    scene.always("a caller pins every page", each_gets(gup, size.pages));
    scene.sometimes("the page that was there is pinned", gets(gup[0], page));
    scene.sometimes("it is zapped, and another one is pinned", move |end| {
        !end.got_page(gup[0], page)
    });
    scene.into_program()
}
